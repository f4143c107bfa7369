//! Access links, many at once: all of them or none.
//!
//! What fits into one transaction is written by one. Of more, one transaction writes what is to be: parts of some sixty links,
//! which count at their departments' desks already, and the answer. From then on nothing can refuse them, and whoever comes
//! by makes them: the request itself, else a list of links, else the schedule. A link that is there is not made again, so that two
//! may be at it, and again.

use std::{collections::BTreeMap, collections::BTreeSet, slice, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    error::{Error, Result},
    events::{Event, EventName},
    ids::{DepartmentId, Id},
    matching,
    models::{AccessLink, Customer, LinkBatch, LinkHold},
    storage::{
        Entity, Gate, Key, Store, Stored, Write, contend,
        entity::from_item,
        keys,
        ops::MAX_ITEMS,
        write::{Answer, touched},
    },
};

/// Links of a part at most: a quarter of an item's 400 KB with names as they are, two thirds with the longest.
const PART: usize = 100;
/// Departments that the deciding transaction holds itself, beside the parts and the answer.
const AT_ONCE: usize = 75;
/// Departments that one transaction before it holds.
const HELD: usize = 95;

/// Links with their events, whose customers must be there.
pub fn with_links<'a>(write: Write<'a>, site: &str, links: &[AccessLink]) -> Write<'a> {
    let tenant = write.store().tenant();
    let write = customers(tenant, links).iter().fold(write, |write, key| write.exists::<Customer>(key, |_| Error::Conflict));
    links.iter().fold(write, |write, link| {
        let event = Event::Link(EventName::LinkCreated, link.view(site, link.inserted_at));
        write.create(link).emit(&event, link.inserted_at)
    })
}

/// The customers whom links name.
fn customers(tenant: &str, links: &[AccessLink]) -> BTreeSet<Key> {
    links.iter().filter_map(|link| link.customer_id).map(|id| Customer::key(tenant, id)).collect()
}

/// Decides that links will be. Answers the parts that are still to be made with [`make`]; none of few links.
///
/// # Errors
/// [`Error::Conflict`] when a department or a customer is no longer there.
pub async fn decide<A: Answer>(store: &Store, site: &str, links: &[AccessLink], answer: A) -> Result<(A, Vec<LinkBatch>)> {
    if let [all] = steps(store.tenant(), links)[..] {
        return Ok((with_links(store.write(), site, all).commit(answer).await?, Vec::new()));
    }
    let holds = hold(store, links).await?;
    let parts = parts(store, site, links)?;
    let write = holds.iter().fold(store.write(), Write::delete);
    let write = parts.iter().fold(write, Write::create);
    let partition = parts.first().map(|part| keys::batch_partition(store.tenant(), part.id)).unwrap_or_default();
    Ok((write.awaiting(partition).commit(answer).await?, parts))
}

/// Makes the links of parts, as many parts at a time as there are shards of counts: they do not get in each other's way.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the schedule then goes on.
pub async fn make(store: &Store, parts: Vec<LinkBatch>) -> Result<()> {
    let making = stream::iter(parts)
        .map(|part| async move { make_part(store, &part).await })
        .buffer_unordered(keys::COUNTER_SHARDS.into());
    making.try_collect::<()>().await.map_err(|error| match error {
        // It was decided: who is told to try again would make them twice.
        Error::Conflict => Error::Internal("a batch of links is left to the schedule".into()),
        error => error,
    })
}

/// Makes what a request that has died left of a part. Answers how many links the part has.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; the part then stays due.
pub async fn go_on(store: &Store, key: &Key) -> Result<u64> {
    let Some(item) = store.db().item(key).await? else { return Ok(0) };
    let part: Stored<LinkBatch> = from_item(item)?;
    make_part(store, &part).await?;
    Ok(u64::try_from(part.links.len()).unwrap_or(0))
}

/// Gives departments back that were held for a batch that was not decided.
///
/// # Errors
/// [`Error::Internal`] when the table does not answer; they then stay due.
pub async fn let_go(store: &Store, key: &Key) -> Result<()> {
    contend(|| async {
        let Some(item) = store.db().item(key).await? else { return Ok(()) };
        store.write().delete(&from_item::<LinkHold>(item)?).commit(()).await
    })
    .await
}

async fn make_part(store: &Store, part: &LinkBatch) -> Result<()> {
    // Whoever makes them, and when: they are those of who asked for them, then.
    let (author, done_at) = (part.author.clone().map(Arc::new), Some(part.inserted_at));
    let store = store.clone().gated(Gate { author, done_at, ..Gate::default() });
    for links in steps(store.tenant(), &part.links) {
        make_step(&store, &part.site, links).await?;
    }
    // Its place at the desks is its links' now.
    store.db().forget([LinkBatch::key(store.tenant(), part.id())]).await
}

async fn make_step(store: &Store, site: &str, links: &[AccessLink]) -> Result<()> {
    let mut first = Some(links.to_vec());
    contend(|| {
        let first = first.take();
        async move {
            let links = match first {
                Some(links) => links,
                None => missing(store, links).await?,
            };
            if links.is_empty() {
                return Ok(());
            }
            let mut write = with_links(store.write(), site, &links);
            for link in &links {
                // It is counted at the desk already.
                write = write.tally(&Key::desk(store.tenant(), link.department_id), |desk| {
                    desk.add("links", -1);
                });
            }
            write.commit(()).await
        }
    })
    .await
}

/// Those that are not there yet, of customers who were merged meanwhile with who they are now, of removed ones without.
async fn missing(store: &Store, links: &[AccessLink]) -> Result<Vec<AccessLink>> {
    let tenant = store.tenant();
    let mut wanted: Vec<Key> = links.iter().map(|link| AccessLink::key(tenant, link.id)).collect();
    wanted.extend(customers(tenant, links));
    let found = store.db().items(&wanted).await?;
    let mut left = Vec::new();
    for link in links.iter().filter(|link| found.item(&AccessLink::key(tenant, link.id)).is_none()) {
        let Some(id) = link.customer_id else {
            left.push(link.clone());
            continue;
        };
        let customer = matching::follow(store, found.item(&Customer::key(tenant, id)).cloned()).await?;
        left.push(match customer {
            Some(customer) => AccessLink { customer_id: Some(customer.id), ..link.clone() },
            None => link.forgotten(),
        });
    }
    Ok(left)
}

/// Links in runs of which each fits into a transaction, with the answer.
fn steps<'a>(tenant: &str, links: &'a [AccessLink]) -> Vec<&'a [AccessLink]> {
    /// A link's event, and its entry in the audit trail.
    const TOLD: usize = 2;
    let (mut steps, mut rest) = (Vec::new(), links);
    while !rest.is_empty() {
        let mut keys = BTreeSet::new();
        let fits = |(n, link): &(usize, &AccessLink)| {
            keys.extend(touched(tenant, *link));
            keys.extend(customers(tenant, slice::from_ref(*link)));
            keys.len() + TOLD * (n + 1) < MAX_ITEMS
        };
        let (step, after) = rest.split_at(rest.iter().enumerate().take_while(fits).count());
        steps.push(step);
        rest = after;
    }
    steps
}

/// The parts of a batch: each with links whose counts fall into one shard, so that they are made at the same time.
fn parts(store: &Store, site: &str, links: &[AccessLink]) -> Result<Vec<LinkBatch>> {
    let mut lanes: BTreeMap<u8, Vec<AccessLink>> = BTreeMap::new();
    for link in links {
        lanes.entry(keys::shard(&link.id.key(), keys::COUNTER_SHARDS)).or_default().push(link.clone());
    }
    let (id, inserted_at, author) = (store.mint()?, store.clock().now(), store.author().cloned());
    let part = |(part, links): (u8, &[AccessLink])| {
        let (links, site, author) = (links.to_vec(), site.to_owned(), author.clone());
        LinkBatch { id, part, links, site, author, inserted_at }
    };
    Ok((0..).zip(lanes.values().flat_map(|lane| lane.chunks(PART))).map(part).collect())
}

/// Holds the departments that the deciding transaction has no room for; mostly none.
async fn hold(store: &Store, links: &[AccessLink]) -> Result<Vec<Stored<LinkHold>>> {
    let mut counts: BTreeMap<DepartmentId, usize> = BTreeMap::new();
    for link in links {
        *counts.entry(link.department_id).or_default() += 1;
    }
    let more: Vec<_> = counts.into_iter().skip(AT_ONCE).collect();
    let mut holds = Vec::new();
    for held in more.chunks(HELD) {
        let department_ids = held.iter().flat_map(|(id, times)| std::iter::repeat_n(*id, *times)).collect();
        let hold = LinkHold { id: store.mint()?, department_ids, inserted_at: store.clock().now() };
        store.write().create(&hold).commit(()).await?;
        holds.push(Stored { value: hold, version: 1 });
    }
    Ok(holds)
}
