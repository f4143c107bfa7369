//! The API over HTTP, through the real storage engine; the tree mirrors that of the URLs.

mod journey;
