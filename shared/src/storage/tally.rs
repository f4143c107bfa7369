//! Counts that decide: additions, limits that must hold, values to set, in one item.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

use super::{
    attributes,
    facets::{Refusal, Tallied},
    keys::Key,
    ops::{ALL_OLD, Meaning, Op},
};
use crate::error::{Error, Result};

/// A change of one item of counts: additions, limits that must hold before, values to set.
#[derive(Debug, Default)]
pub struct Tally {
    adds: BTreeMap<String, i64>,
    sets: BTreeMap<String, Option<i64>>,
    limits: BTreeMap<String, &'static str>,
    most: BTreeMap<String, i64>,
    entries: BTreeMap<String, Entry>,
    entering: BTreeSet<String>,
    as_read: Option<i64>,
    floors: BTreeMap<String, Option<Refusal>>,
    must_exist: bool,
    refusal: Option<Refusal>,
}

/// What stands in an item under a name, before and after.
#[derive(Debug, Default)]
struct Entry {
    before: Option<i64>,
    after: Option<i64>,
}

/// How often something was entered into an item.
pub const ENTERED: &str = "entered";

impl Tally {
    /// Adds to a count.
    pub fn add(&mut self, count: &str, amount: i64) -> &mut Self {
        *self.adds.entry(count.to_owned()).or_default() += amount;
        self
    }

    /// Sets a value; `None` takes it away.
    pub fn set(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        self.sets.insert(name.to_owned(), value);
        self
    }

    /// Nothing was entered since the item was read: then [`ENTERED`] was this, 0 when it was not there. What was taken out
    /// meanwhile does not matter.
    pub fn as_read(&mut self, entered: i64) -> &mut Self {
        self.as_read = Some(entered);
        self
    }

    /// A facet that comes (1) or goes (-1).
    pub(super) fn follow(&mut self, tallied: &Tallied, sign: i64) {
        self.add(&tallied.count, sign);
        if let Some(limit) = tallied.limit {
            self.limits.insert(tallied.count.clone(), limit);
        }
        if let Some(most) = tallied.most {
            self.most.insert(tallied.count.clone(), most);
        }
        if let Some((name, value)) = &tallied.entry {
            let entry = self.entries.entry(name.clone()).or_default();
            *(if sign > 0 { &mut entry.after } else { &mut entry.before }) = Some(*value);
        }
        if tallied.entering {
            self.entering.insert(tallied.count.clone());
        }
        self.must_exist |= tallied.existing && sign > 0;
        if tallied.one_stays {
            self.floors.insert(tallied.count.clone(), tallied.refusal);
        } else {
            self.refusal = self.refusal.or(tallied.refusal);
        }
    }

    /// Entries that came, changed or went, and counts that rise.
    fn enter(&mut self) {
        if self.entering.iter().any(|count| self.adds.get(count).is_some_and(|amount| *amount > 0)) {
            self.add(ENTERED, 1);
        }
        for (name, Entry { before, after }) in std::mem::take(&mut self.entries) {
            if before != after {
                self.add(ENTERED, i64::from(after.is_some())).set(&name, after);
            }
        }
    }

    /// The operation; none when the changes cancel out.
    pub(super) fn into_op(mut self, table: &str, key: &Key) -> Result<Option<Op>> {
        self.enter();
        let adds: Vec<(String, i64)> = self.adds.into_iter().filter(|(_, amount)| *amount != 0).collect();
        let limits: Vec<_> = self
            .limits
            .into_iter()
            .filter(|(count, _)| adds.iter().any(|(known, amount)| known == count && *amount > 0))
            .collect();
        let rising = |count: &String| adds.iter().any(|(known, amount)| known == count && *amount > 0);
        let most: Vec<_> = self.most.into_iter().filter(|(count, _)| rising(count)).collect();
        let floors: Vec<_> = self
            .floors
            .into_iter()
            .filter_map(|(count, refusal)| {
                let (_, amount) = adds.iter().find(|(known, amount)| *known == count && *amount < 0)?;
                Some((count, -amount, refusal))
            })
            .collect();
        if adds.is_empty() && self.sets.is_empty() {
            return Ok(None);
        }
        let mut update =
            Update::builder().table_name(table).return_values_on_condition_check_failure(ALL_OLD).set_key(Some(attributes(key)));
        let (mut add, mut set, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (n, (count, amount)) in adds.into_iter().enumerate() {
            add.push(format!("#a{n} :a{n}"));
            update = update
                .expression_attribute_names(format!("#a{n}"), count)
                .expression_attribute_values(format!(":a{n}"), AttributeValue::N(amount.to_string()));
        }
        for (n, (name, value)) in self.sets.into_iter().enumerate() {
            update = update.expression_attribute_names(format!("#s{n}"), name);
            if let Some(number) = value {
                set.push(format!("#s{n} = :s{n}"));
                update = update.expression_attribute_values(format!(":s{n}"), AttributeValue::N(number.to_string()));
            } else {
                remove.push(format!("#s{n}"));
            }
        }
        let mut conditions = Vec::new();
        if self.must_exist {
            conditions.push("attribute_exists(PK)".to_owned());
        }
        for (n, (count, limit)) in limits.iter().enumerate() {
            conditions.push(format!(
                "(attribute_not_exists(#l{n}) OR (attribute_not_exists(#c{n}) AND #l{n} > :zero) OR #c{n} < #l{n})"
            ));
            update = update
                .expression_attribute_names(format!("#c{n}"), count)
                .expression_attribute_names(format!("#l{n}"), *limit)
                .expression_attribute_values(":zero", AttributeValue::N("0".into()));
        }
        for (n, (count, most)) in most.into_iter().enumerate() {
            conditions.push(format!("(attribute_not_exists(#m{n}) OR #m{n} < :m{n})"));
            update = update
                .expression_attribute_names(format!("#m{n}"), count)
                .expression_attribute_values(format!(":m{n}"), AttributeValue::N(most.to_string()));
        }
        match self.as_read {
            None => {}
            Some(0) => {
                conditions.push("attribute_not_exists(#e)".to_owned());
                update = update.expression_attribute_names("#e", ENTERED);
            }
            Some(entered) => {
                conditions.push("#e = :e".to_owned());
                update = update
                    .expression_attribute_names("#e", ENTERED)
                    .expression_attribute_values(":e", AttributeValue::N(entered.to_string()));
            }
        }
        for (n, (count, amount, _)) in floors.iter().enumerate() {
            conditions.push(format!("#f{n} > :f{n}"));
            update = update
                .expression_attribute_names(format!("#f{n}"), count)
                .expression_attribute_values(format!(":f{n}"), AttributeValue::N(amount.to_string()));
        }
        let clauses = [("ADD", add), ("SET", set), ("REMOVE", remove)];
        let expression: Vec<String> = clauses
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(verb, parts)| format!("{verb} {}", parts.join(", ")))
            .collect();
        if !conditions.is_empty() {
            update = update.condition_expression(conditions.join(" AND "));
        }
        let update = update.update_expression(expression.join(" ")).build().map_err(|e| Error::internal("tally", e))?;
        let meaning: Meaning = match floors.first().and_then(|(.., refusal)| *refusal).or(self.refusal) {
            Some(refusal) => Box::new(refusal),
            None => Box::new(|_| Error::Conflict),
        };
        Ok(Some(Op { item: TransactWriteItem::builder().update(update).build(), meaning }))
    }
}
