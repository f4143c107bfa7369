//! Search: along the rows of words, which bear all words of their object and its places in its sorts.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::{try_join, try_join_all};

use super::{
    Store,
    entity::{self, Entity, Item, PLACES, WORDS},
    failed,
    keys::{self, Key},
    list::{MOST_ROWS, Page, Query, slice},
};
use crate::{
    error::{Error, Result},
    ids::Id,
};

/// Objects that a search reads, at most, where filters are left that the rows cannot answer: fifty requests, four at once.
const MOST_OBJECTS: usize = 5_000;
/// Words that are tried side by side where all have many rows.
const MOST_RUNS: usize = 3;

impl Store {
    /// A page of what has all these words, by prefix, at least one. Where no filter is left, only the page's objects are read.
    ///
    /// # Errors
    /// [`Error::Invalid`] when too many have them; [`Error::Internal`] when the table does not answer.
    pub(super) async fn page_found<T: Entity>(&self, wanted: &[String], query: &Query) -> Result<Page<T>> {
        let (rows, succeeded) = try_join(self.rows_of_words(T::KIND, wanted, query), self.succeeded::<T>()).await?;
        let found = rows.iter().filter_map(|row| found(row, query)).filter(|(id, _)| !succeeded.contains(*id));
        // Whoever has two words that begin alike is found by both.
        let found: BTreeMap<&str, String> = found.collect();
        let keys = found.into_iter().map(|(id, place)| (place, T::key_at(&self.tenant, id))).collect::<Vec<_>>();
        if query.filters.is_empty() {
            let (keys, total, next) = slice(keys, query);
            return Ok(Page { rows: self.objects(&keys).await?, total, next });
        }
        if keys.len() > MOST_OBJECTS {
            return Err(too_many());
        }
        let keys: Vec<Key> = keys.into_iter().map(|(_, key)| key).collect();
        self.page_in_memory(self.objects(&keys).await?, query)
    }

    /// So many of a kind that have this very word, an e-mail say, in the order of their identifiers: from the one after that on.
    /// Answers after which it goes on, if it does.
    ///
    /// # Errors
    /// [`Error::Internal`] when the table does not answer.
    pub async fn with_word<T: Entity>(&self, text: &str, after: Option<T::Id>, most: usize) -> Result<(Vec<T::Id>, Option<T::Id>)>
    where
        T::Id: Id,
    {
        let Some(word) = T::sought(text).into_iter().next() else { return Ok((Vec::new(), None)) };
        let prefix = keys::word_prefix(&word);
        // No identifier's next sign sorts before a space.
        let from = after.map_or_else(|| prefix.clone(), |id| format!("{prefix}{} ", id.key()));
        let rows = self.db.from(&keys::words(&self.tenant, T::KIND), &from, i32::try_from(most).unwrap_or(i32::MAX)).await?;
        let of = |row: &Item| T::Id::from_key(entity::text(row, "SK")?.strip_prefix(prefix.as_str())?);
        let found: Vec<T::Id> = rows.iter().map_while(of).collect();
        let next = found.last().copied().filter(|_| found.len() == most);
        Ok((found, next))
    }

    /// Whose place something else has taken, and whose words still lie: mostly nobody.
    async fn succeeded<T: Entity>(&self) -> Result<BTreeSet<String>> {
        let Some(kind) = T::SUCCESSOR else { return Ok(BTreeSet::new()) };
        let keys = self.lapsing_of(kind, self.clock.now()).await?;
        Ok(keys.iter().filter_map(|key| Some(key.pk.rsplit_once('#')?.1.to_owned())).collect())
    }

    /// The rows of what has all these words: of the longest word, or where these are many, of the first that has no more.
    async fn rows_of_words(&self, kind: &str, wanted: &[String], query: &Query) -> Result<Vec<Item>> {
        let mut runs: Vec<Run> = wanted.iter().map(|word| Run::new(word, wanted)).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.word.len()));
        runs.truncate(MOST_RUNS);
        let partition = keys::words(&self.tenant, kind);
        let mut ahead = 1;
        loop {
            try_join_all(runs.iter_mut().take(ahead).map(|run| run.go_on(self, &partition, query))).await?;
            if let Some(ended) = runs.iter().take(ahead).position(|run| run.after.is_none()) {
                return Ok(runs.swap_remove(ended).rows);
            }
            if runs.iter().take(ahead).any(|run| run.seen > MOST_ROWS) {
                return Err(too_many());
            }
            ahead = MOST_RUNS;
        }
    }
}

/// The rows of one word, a request at a time; the table checks the other words on the rows themselves.
struct Run<'a> {
    word: &'a str,
    others: Vec<&'a str>,
    rows: Vec<Item>,
    seen: usize,
    after: Option<Item>,
}

impl<'a> Run<'a> {
    fn new(word: &'a str, wanted: &'a [String]) -> Self {
        let others = wanted.iter().map(String::as_str).filter(|other| *other != word).collect();
        Self { word, others, rows: Vec::new(), seen: 0, after: None }
    }

    async fn go_on(&mut self, store: &Store, partition: &str, query: &Query) -> Result<()> {
        let mut request = store
            .db
            .client
            .query()
            .table_name(&store.db.table)
            .consistent_read(true)
            .key_condition_expression("PK = :p AND begins_with(SK, :s)")
            .expression_attribute_values(":p", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":s", AttributeValue::S(self.word.to_owned()))
            .expression_attribute_names("#o", PLACES)
            .expression_attribute_names("#sort", query.sort)
            .projection_expression("SK, #o.#sort")
            .set_exclusive_start_key(self.after.take());
        if let Some(ranged) = query.ranged.filter(|ranged| *ranged != query.sort) {
            request = request.expression_attribute_names("#ranged", ranged).projection_expression("SK, #o.#sort, #o.#ranged");
        }
        let mut filters = Vec::new();
        for (n, word) in self.others.iter().enumerate() {
            filters.push(format!("contains(#w, :w{n})"));
            request = request.expression_attribute_values(format!(":w{n}"), AttributeValue::S(format!(" {word}")));
        }
        if !filters.is_empty() {
            request = request.expression_attribute_names("#w", WORDS).filter_expression(filters.join(" AND "));
        }
        let answer = request.send().await.map_err(failed("Query"))?;
        self.seen += usize::try_from(answer.scanned_count).unwrap_or_default();
        self.rows.extend(answer.items.unwrap_or_default());
        self.after = answer.last_evaluated_key;
        Ok(())
    }
}

/// Whose row it is, with its place in the query's sort; nothing when it is out of the query's range.
fn found<'a>(row: &'a Item, query: &Query) -> Option<(&'a str, String)> {
    let (_, id) = entity::text(row, "SK")?.rsplit_once('#')?;
    let places = row.get(PLACES)?.as_m().ok()?;
    let place = |sort: &str| Some(format!("{}#{id}", places.get(sort)?.as_s().ok()?));
    let ranged = place(query.ranged.unwrap_or(query.sort))?;
    let within = query.range.as_ref().is_none_or(|(from, to)| *from <= ranged && ranged <= *to);
    Some((id, place(query.sort).filter(|_| within)?))
}

fn too_many() -> Error {
    Error::invalid("search", "finds too many to be listed; give another word, or more letters")
}
