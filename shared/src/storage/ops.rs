//! What a transaction is made of: items with their conditions, and what it means when one of these fails.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        builders::{ConditionCheckBuilder, DeleteBuilder, PutBuilder, TransactWriteItemBuilder, UpdateBuilder},
    },
};

use super::{Item, Key, attributes};
use crate::error::{Error, Result};

/// What a failed condition means; it sees the item as it was.
pub(super) type Meaning = Box<dyn Fn(Option<&Item>) -> Error + Send + Sync>;

pub(super) struct Op {
    pub(super) item: TransactWriteItem,
    pub(super) meaning: Meaning,
}

/// What DynamoDB takes in one transaction.
pub const MAX_ITEMS: usize = 100;

/// The items of a transaction while they are put together.
pub(super) struct Ops {
    table: String,
    ops: Vec<Op>,
    flaw: Option<Error>,
}

impl Ops {
    pub(super) fn new(table: &str) -> Self {
        Self { table: table.to_owned(), ops: Vec::new(), flaw: None }
    }

    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    /// It cannot be put together.
    pub(super) fn flawed(&mut self, error: Error) {
        self.flaw = Some(error);
    }

    /// A plain item that must not exist yet.
    pub(super) fn put_new(&mut self, key: &Key, values: Item, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) {
        self.put(Put::builder().set_item(Some(whole(key, values))).condition_expression("attribute_not_exists(PK)"), meaning);
    }

    /// A plain item, whatever was there.
    pub(super) fn put_over(&mut self, key: &Key, values: Item) {
        self.put(Put::builder().set_item(Some(whole(key, values))), |_| Error::Conflict);
    }

    /// The end of a plain item that must exist.
    pub(super) fn remove(&mut self, key: &Key, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) {
        self.delete(key, Delete::builder().condition_expression("attribute_exists(PK)"), meaning);
    }

    pub(super) fn put(&mut self, put: PutBuilder, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) {
        let put = put.table_name(&self.table).return_values_on_condition_check_failure(ALL_OLD).build();
        self.built(put.map(|put| TransactWriteItem::builder().put(put)), meaning);
    }

    pub(super) fn delete(
        &mut self,
        key: &Key,
        delete: DeleteBuilder,
        meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static,
    ) {
        let delete = delete.table_name(&self.table).set_key(Some(attributes(key)));
        let delete = delete.return_values_on_condition_check_failure(ALL_OLD).build();
        self.built(delete.map(|delete| TransactWriteItem::builder().delete(delete)), meaning);
    }

    pub(super) fn update(&mut self, update: UpdateBuilder, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) {
        let update = update.table_name(&self.table).build();
        self.built(update.map(|update| TransactWriteItem::builder().update(update)), meaning);
    }

    pub(super) fn check(
        &mut self,
        check: ConditionCheckBuilder,
        meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static,
    ) {
        let check = check.table_name(&self.table).build();
        self.built(check.map(|check| TransactWriteItem::builder().condition_check(check)), meaning);
    }

    fn built(
        &mut self,
        item: Result<TransactWriteItemBuilder, BuildError>,
        meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static,
    ) {
        match item {
            Ok(item) => self.push(item.build(), meaning),
            Err(error) => self.flawed(Error::internal("transaction", error)),
        }
    }

    pub(super) fn push(&mut self, item: TransactWriteItem, meaning: impl Fn(Option<&Item>) -> Error + Send + Sync + 'static) {
        self.extend([Op { item, meaning: Box::new(meaning) }]);
    }

    pub(super) fn extend(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.ops.extend(ops);
    }

    /// The items with their meanings.
    pub(super) fn finish(self) -> Result<(Vec<TransactWriteItem>, Vec<Meaning>)> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        if self.ops.len() > MAX_ITEMS {
            return Err(Error::Internal(format!("{} items in one transaction", self.ops.len())));
        }
        Ok(self.ops.into_iter().map(|op| (op.item, op.meaning)).unzip())
    }
}

/// An item with its key.
pub(super) fn whole(key: &Key, values: Item) -> Item {
    let mut item = attributes(key);
    item.extend(values);
    item
}

/// A failed condition says what stood there.
pub(super) const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// What a cancelled transaction means: a conflict first (reading again sees what the others mean), else the first
/// condition that failed, by its place; when that is a field's, with all others that are.
pub(super) fn meaning_of(reasons: &[CancellationReason], meaning: impl Fn(usize, Option<&Item>) -> Error) -> Error {
    let mut first = None;
    for (n, reason) in reasons.iter().enumerate() {
        match reason.code() {
            None | Some("None") => {}
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => return Error::Conflict,
            Some("ConditionalCheckFailed") => match meaning(n, reason.item()) {
                Error::Conflict => return Error::Conflict,
                error => match &mut first {
                    Some(Error::Invalid(violations)) => violations.merge(error),
                    Some(_) => {}
                    None => first = Some(error),
                },
            },
            Some(code) => return Error::Internal(format!("transaction: {code}: {}", reason.message().unwrap_or_default())),
        }
    }
    first.unwrap_or_else(|| Error::Internal("transaction cancelled without a reason".into()))
}
