//! What the local stack keeps for itself, in the table beside everything else: its keys, how far its clock was moved,
//! when the demo tenant was begun. Two processes on one table share it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    Error, Result,
    chance::Chance,
    clock::Time,
    crypto::keys::{Jwks, Keys},
    storage::{Db, Key, entity, failed},
};

fn key() -> Key {
    Key { pk: "~local".into(), sk: ".".into() }
}

/// What the local stack keeps for itself.
#[derive(Debug)]
pub struct State {
    /// The keys of this stack.
    pub keys: Keys,
    /// How far the clock was moved, in seconds.
    pub offset: i64,
}

impl State {
    /// Reads the state; the first process makes it.
    pub async fn load(db: &Db) -> Result<Self> {
        let random = Chance::default().draw::<64>()?;
        let text = |bytes: &[u8]| AttributeValue::S(URL_SAFE_NO_PAD.encode(bytes));
        let made = db
            .client()
            .put_item()
            .table_name(db.table())
            .item("PK", AttributeValue::S(key().pk))
            .item("SK", AttributeValue::S(key().sk))
            .item("signing", text(&random[..32]))
            .item("secret", text(&random[32..]))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        match made {
            Err(error)
                if !error
                    .as_service_error()
                    .is_some_and(aws_sdk_dynamodb::operation::put_item::PutItemError::is_conditional_check_failed_exception) =>
            {
                return Err(failed("PutItem")(error));
            }
            _ => {}
        }
        let item = db.item(&key()).await?.ok_or_else(|| Error::Internal("no local state".into()))?;
        let bytes = |name: &str| {
            let decoded = entity::text(&item, name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            decoded
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .ok_or_else(|| Error::Internal(format!("local state: {name}")))
        };
        let keys = Keys::new(Some(bytes("signing")?), Jwks::default(), bytes("secret")?).map_err(Error::Internal)?;
        Ok(Self { keys, offset: entity::number(&item, "offset").unwrap_or(0) })
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
