//! Customers themselves.

use schemars::JsonSchema;
use shared::{
    Result,
    api::{Created, Filters, IfMatch, Merge, NoContent, Paging, Path, Proposed, Query, Rows, Shown},
    auth::{Attendant, Caller},
    events::{Event, EventName},
    forget,
    ids::CustomerId,
    input::{Draft, Fields, Input},
    matching::{self, Match},
    models::{
        Company, Customer,
        customer::{CustomerInput, CustomerView},
    },
    storage::contend,
    text,
};

use crate::erase::{Removal, erase};

/// Which customers.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<Customer>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false) }
    }
}

/// The tenant's customers.
pub async fn list(caller: Caller<Attendant>, Query(wanted): Query<Wanted>) -> Result<Rows<CustomerView>> {
    wanted.paging.list(&caller, Filters::none(), |customer| customer.view()).await
}

/// One customer, by whichever of the identifiers.
pub async fn read(caller: Caller<Attendant>, Path(id): Path<CustomerId>) -> Result<Shown<CustomerView>> {
    let customer = matching::find(caller.store(), id).await?;
    Ok(Shown(customer.view(), customer.version))
}

/// Makes a customer, who from then on is whom the e-mail and the phone number stand for.
pub async fn create(caller: Caller<Attendant>, Proposed(draft): Proposed<CustomerInput>) -> Result<Created<CustomerView>> {
    let store = caller.store();
    let input = dialled(&caller, draft).await?;
    let customer = Customer::new(store.mint()?, input, caller.now());
    contend(|| async {
        let matched = Match::nobody(store, &customer.input).await?;
        matched.introduce(caller.write(), &customer, caller.now()).commit(Created(customer.view())).await
    })
    .await
}

/// Changes a customer.
pub async fn update(
    caller: Caller<Attendant>,
    Path(id): Path<CustomerId>,
    matching: IfMatch,
    Merge(patch): Merge<CustomerInput>,
) -> Result<Shown<CustomerView>> {
    let store = caller.store();
    contend(|| async {
        let seen = matching::find(store, id).await?;
        matching.check(&seen)?;
        let input = dialled(&caller, patch.onto(&seen.input)?.into()).await?;
        let changed = Customer { input, updated_at: caller.now(), ..seen.value.clone() };
        let write = matching::moved(store, caller.write().update(&seen, &changed), &seen, Some(&changed)).await?;
        // Who sends the same again, for want of an answer, has changed nothing that is to be told.
        let told = Event::Customer(EventName::CustomerUpdated, changed.view());
        let write = if changed.input == seen.input { write } else { write.emit(&told, caller.now()) };
        write.commit(Shown(changed.view(), seen.version + 1)).await
    })
    .await
}

/// Calls and links that bear the name and go with the request.
const AT_ONCE: usize = 25;

/// Removes a customer. The calls stay for the figures; name and contact leave them.
pub async fn remove(
    caller: Caller<Attendant>,
    Path(id): Path<CustomerId>,
    Query(removal): Query<Removal>,
    matching: IfMatch,
) -> Result<NoContent> {
    if removal.erase {
        return erase(&caller, id, &matching).await;
    }
    let store = caller.store();
    let id = contend(|| async {
        let seen = matching::find(store, id).await?;
        matching.check(&seen)?;
        let write = caller.write().delete(&seen).create(&forget::mark(seen.id, caller.now()));
        forget::parting(store, write, &seen).await?.commit(NoContent).await?;
        Ok(seen.value.id)
    })
    .await?;
    // What fails here the schedule does.
    if let Err(error) = forget::forget(store, id, AT_ONCE).await {
        tracing::error!(%error, "a removed customer's calls and links");
    }
    Ok(NoContent)
}

/// With the phone number as E.164, if nothing is wrong; only one without a country code takes the company's country.
async fn dialled(caller: &Caller<Attendant>, Draft { input, mut violations }: Draft<CustomerInput>) -> Result<CustomerInput> {
    let local = input.phone.as_deref().is_some_and(|phone| !phone.trim_start().starts_with('+'));
    let country = if local { caller.store().find::<Company>(()).await?.value.input.country } else { String::new() };
    let phone = input.phone.as_deref().map(|phone| text::phone(phone, &country)).transpose();
    let phone = phone.unwrap_or_else(|message| {
        violations.add("phone", message);
        None
    });
    violations.into_result(CustomerInput { phone, ..input })
}
