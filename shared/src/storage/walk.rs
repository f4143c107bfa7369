//! Reading along an index, a stretch at a time: what has the same value lies side by side.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Store, entity::Slot, failed};
use crate::error::Result;

impl Store {
    /// At most so many places of an index partition after one, in order, and whether there may be more: one query of slim rows.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the table does not answer.
    pub async fn places(&self, slot: Slot, partition: &str, after: &str, limit: i32) -> Result<(Vec<String>, bool)> {
        let (of, order) = slot.attributes();
        let found = self
            .db
            .client
            .query()
            .table_name(&self.db.table)
            .index_name(slot.index())
            .key_condition_expression("#p = :p AND #s > :s")
            .expression_attribute_names("#p", of)
            .expression_attribute_names("#s", &order)
            .expression_attribute_values(":p", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":s", AttributeValue::S(after.to_owned()))
            .limit(limit)
            .send()
            .await
            .map_err(failed("Query"))?;
        let places = found.items().iter().filter_map(|row| super::entity::text(row, &order).map(ToOwned::to_owned)).collect();
        Ok((places, found.last_evaluated_key.is_some()))
    }
}
