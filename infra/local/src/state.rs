//! What the local stack keeps for itself, in the table beside everything else: how far its clock was moved, when the demo
//! tenant was begun, and, where the table is elsewhere, the secret. Two processes on one table share it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shared::{
    Error, Result,
    chance::Chance,
    clock::Time,
    crypto::secret::Secret,
    storage::{Db, Key, entity, failed},
};

fn key() -> Key {
    Key { pk: "~local".into(), sk: ".".into() }
}

/// What the local stack keeps for itself.
#[derive(Debug)]
pub struct State;

impl State {
    /// How far the clock was moved, in seconds.
    pub async fn offset(db: &Db) -> Result<i64> {
        let item = db.item(&key()).await?;
        Ok(item.and_then(|item| entity::number(&item, "offset")).unwrap_or(0))
    }

    /// The secret that all stacks on a table elsewhere share: the first one's.
    pub async fn secret(db: &Db) -> Result<Secret> {
        let fresh = Secret::new(Chance::default().draw()?);
        let answer = db
            .client()
            .update_item()
            .table_name(db.table())
            .key("PK", AttributeValue::S(key().pk))
            .key("SK", AttributeValue::S(key().sk))
            .update_expression("SET secret = if_not_exists(secret, :fresh)")
            .expression_attribute_values(":fresh", AttributeValue::S(fresh.text()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(failed("UpdateItem"))?;
        let kept = answer.attributes.as_ref().and_then(|item| entity::text(item, "secret"));
        Secret::parse(kept.unwrap_or_default()).map_err(|reason| Error::internal("local secret", reason))
    }

    /// Keeps that the clock was moved by so many seconds; answers how far it is now.
    pub async fn advance(db: &Db, seconds: u32) -> Result<i64> {
        let answer = db
            .client()
            .update_item()
            .table_name(db.table())
            .key("PK", AttributeValue::S(key().pk))
            .key("SK", AttributeValue::S(key().sk))
            .update_expression("ADD #offset :seconds")
            .expression_attribute_names("#offset", "offset")
            .expression_attribute_values(":seconds", AttributeValue::N(seconds.to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(failed("UpdateItem"))?;
        Ok(answer.attributes.as_ref().and_then(|item| entity::number(item, "offset")).unwrap_or(0))
    }

    /// The moment that the demo's data goes by: the same in every attempt to seed it.
    pub async fn demo_began(db: &Db, now: Time) -> Result<Time> {
        let answer = db
            .client()
            .update_item()
            .table_name(db.table())
            .key("PK", AttributeValue::S(key().pk))
            .key("SK", AttributeValue::S(key().sk))
            .update_expression("SET demo = if_not_exists(demo, :now)")
            .expression_attribute_values(":now", AttributeValue::N(now.epoch().to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(failed("UpdateItem"))?;
        Ok(answer.attributes.as_ref().and_then(|item| entity::number(item, "demo")).map_or(now, Time::from_epoch))
    }
}
