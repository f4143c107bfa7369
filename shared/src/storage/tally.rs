//! Counts that decide: additions, limits that must hold, values to set, in one item.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

use super::{
    attributes,
    facets::{Refusal, Tallied},
    keys::Key,
    write::{ALL_OLD, Meaning, Op},
};
use crate::error::{Error, Result};

/// A change of one item of counts: additions, limits that must hold before, values to set.
#[derive(Debug, Default)]
pub struct Tally {
    adds: BTreeMap<String, i64>,
    sets: BTreeMap<&'static str, Option<i64>>,
    limits: BTreeMap<String, &'static str>,
    floors: BTreeMap<String, Option<Refusal>>,
    must_exist: bool,
    refusal: Option<Refusal>,
}

impl Tally {
    /// Adds to a count.
    pub fn add(&mut self, count: &str, amount: i64) -> &mut Self {
        *self.adds.entry(count.to_owned()).or_default() += amount;
        self
    }

    /// Sets a value; `None` takes it away.
    pub fn set(&mut self, name: &'static str, value: Option<i64>) -> &mut Self {
        self.sets.insert(name, value);
        self
    }

    /// A facet that comes (1) or goes (-1).
    pub(super) fn follow(&mut self, tallied: &Tallied, sign: i64) {
        self.add(&tallied.count, sign);
        if let Some(limit) = tallied.limit {
            self.limits.insert(tallied.count.clone(), limit);
        }
        self.must_exist |= tallied.existing && sign > 0;
        if tallied.one_stays {
            self.floors.insert(tallied.count.clone(), tallied.refusal);
        } else {
            self.refusal = self.refusal.or(tallied.refusal);
        }
    }

    /// The operation; none when the changes cancel out.
    pub(super) fn into_op(self, table: &str, key: &Key) -> Result<Option<Op>> {
        let adds: Vec<(String, i64)> = self.adds.into_iter().filter(|(_, amount)| *amount != 0).collect();
        let limits: Vec<_> = self
            .limits
            .into_iter()
            .filter(|(count, _)| adds.iter().any(|(known, amount)| known == count && *amount > 0))
            .collect();
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
