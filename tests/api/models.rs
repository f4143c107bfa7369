//! Lists and searches against models that know nothing of how they are answered: rows in a vector, words in a set.

mod pages;
mod search;
