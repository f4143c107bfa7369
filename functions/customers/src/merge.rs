//! Customers who turn out to be one.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Shown, Valid},
    auth::{Caller, Supervisor},
    ids::CustomerId,
    input::{Fields, Input, Message, Raw, rules},
    merging::{self, Merge},
    models::customer::CustomerView,
    storage::contend,
};

/// Who is one.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "CustomerMerge")]
pub struct Merging {
    /// Who stays.
    primary_id: CustomerId,
    /// Who turned out to be the same. What the primary lacks is filled from them, in this order.
    #[schemars(length(min = 1, max = 50))]
    duplicate_ids: Vec<CustomerId>,
    /// Whether only the answer is wanted, and nothing is merged.
    #[schemars(extend("default" = false))]
    dry_run: bool,
}

impl Input for Merging {
    fn read(fields: &mut Fields<'_>) -> Self {
        let primary_id = fields.required("primary_id", rules::id);
        let given: Vec<Option<CustomerId>> = fields.required("duplicate_ids", duplicates);
        for (n, id) in given.iter().enumerate() {
            let wrong = match id {
                None => "is not a valid id",
                Some(id) if *id == primary_id => "is the primary itself",
                Some(_) if given[..n].contains(id) => "is named twice",
                Some(_) => continue,
            };
            fields.violation(&format!("duplicate_ids[{n}]"), wrong);
        }
        let duplicate_ids = given.into_iter().flatten().collect();
        Self { primary_id, duplicate_ids, dry_run: fields.default("dry_run", false, rules::boolean) }
    }
}

/// One to fifty identifiers, none for what is not one.
fn duplicates(raw: &Raw<'_>) -> Result<Vec<Option<CustomerId>>, Message> {
    let list = raw.json().as_array().filter(|list| (1..=50).contains(&list.len())).ok_or("must be a list of 1 to 50 ids")?;
    Ok(list.iter().map(|id| id.as_str()?.trim().parse().ok()).collect())
}

/// Calls, links and appointments that go over with the request; of many customers some of each.
const AT_ONCE: usize = 25;

/// Merges customers into one, who is answered: from then on each of their identifiers is that customer's. Merging again who
/// are one changes nothing.
pub async fn merge(caller: Caller<Supervisor>, Valid(input): Valid<Merging>) -> Result<Shown<CustomerView>> {
    let (store, now) = (caller.store(), caller.now());
    let (answer, merged) = contend(|| async {
        let merge = Merge::read(store, input.primary_id, &input.duplicate_ids, now).await?;
        let ids = merge.ids();
        if ids.is_empty() {
            return Ok((Shown(merge.primary.view(), merge.primary.version), ids));
        }
        if input.dry_run {
            return Ok((Shown(merge.survivor.view(), merge.primary.version), Vec::new()));
        }
        let answer = Shown(merge.survivor.view(), merge.primary.version + 1);
        Ok((merge.write(caller.write(), now).await?.commit(answer).await?, ids))
    })
    .await?;
    // What fails here the schedule does.
    if let Err(error) = merging::move_all(store, &merged, (AT_ONCE / merged.len().max(1)).max(1)).await {
        tracing::error!(%error, "a merged customer's calls and links");
    }
    Ok(answer)
}
