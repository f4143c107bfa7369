//! Every key string of the table, made here and nowhere else.
//!
//! `#` parts a key; the parts before the last never contain it (slugs, kinds and identifiers cannot). Every key begins
//! with the tenant's slug, which never changes, but for the global ones, which begin with `~` (no slug does).

use crate::{
    clock::Time,
    ids::{AppointmentId, BatchId, CallId, CustomerId, DepartmentId, Id, SectorId, SessionId, TagId, TicketId, UserId},
};

/// The sort key of an object itself, in its partition.
pub const SELF: &str = ".";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key, `PK`.
    pub pk: String,
    /// The sort key, `SK`.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// A top-level object.
    #[must_use]
    pub fn object(tenant: &str, kind: &str, id: impl Id) -> Self {
        Self::new(object_partition(tenant, kind, &id.key()), SELF)
    }

    /// The kind of an object of a tenant.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.pk.split('#').nth(1).unwrap_or_default()
    }

    /// The identifier of a top-level object.
    #[must_use]
    pub fn object_id<I: Id>(&self) -> Option<I> {
        I::from_key(self.pk.rsplit('#').next()?)
    }

    /// The same from the identifier's key, as index rows hold it.
    #[must_use]
    pub fn object_by_key(tenant: &str, kind: &str, id_key: &str) -> Self {
        Self::new(object_partition(tenant, kind, id_key), SELF)
    }

    /// The company of a tenant; that it exists is what makes the slug taken.
    #[must_use]
    pub fn company(tenant: &str) -> Self {
        Self::new(format!("{tenant}#company"), SELF)
    }

    /// What a tenant uses of its plan, and the plan's limits.
    #[must_use]
    pub fn usage(tenant: &str) -> Self {
        Self::new(format!("{tenant}#company"), "usage")
    }

    /// A session, beside its user.
    #[must_use]
    pub fn session(tenant: &str, user: UserId, session: SessionId) -> Self {
        Self::new(object_partition(tenant, "user", &user.key()), format!("session#{}", session.key()))
    }

    /// A membership, beside its department.
    #[must_use]
    pub fn member(tenant: &str, department: DepartmentId, user: UserId) -> Self {
        Self::new(object_partition(tenant, "department", &department.key()), format!("{MEMBERS}{}", user.key()))
    }

    /// What a department has in hand: queued and active calls, active links, open appointments.
    #[must_use]
    pub fn desk(tenant: &str, department: DepartmentId) -> Self {
        Self::new(object_partition(tenant, "department", &department.key()), "desk")
    }

    /// When a department is open.
    #[must_use]
    pub fn hours(tenant: &str, department: DepartmentId) -> Self {
        Self::new(object_partition(tenant, "department", &department.key()), HOURS)
    }

    /// What a sector has in hand: its departments.
    #[must_use]
    pub fn sector_desk(tenant: &str, sector: SectorId) -> Self {
        Self::new(object_partition(tenant, "sector", &sector.key()), "desk")
    }

    /// A place in a department's queue.
    #[must_use]
    pub fn ticket(tenant: &str, department: DepartmentId, ticket: TicketId) -> Self {
        Self::new(queue(tenant, department), ticket.key())
    }

    /// A day of an agent: when it is taken.
    #[must_use]
    pub fn agenda(tenant: &str, user: UserId, day: &str) -> Self {
        Self::new(agenda(tenant, user), day)
    }

    /// What waits for the moment at which an appointment is reminded of.
    #[must_use]
    pub fn reminder(tenant: &str, appointment: AppointmentId) -> Self {
        Self::new(object_partition(tenant, "appointment", &appointment.key()), "reminder")
    }

    /// A user's feed, beside the user.
    #[must_use]
    pub fn feed(tenant: &str, user: UserId) -> Self {
        Self::new(object_partition(tenant, "user", &user.key()), "feed")
    }

    /// Whose feed is read by a URL, by the digest of its token.
    #[must_use]
    pub fn feed_token(digest: &[u8; 32]) -> Self {
        Self::new(format!("~feed#{}", crate::text::hex(digest)), SELF)
    }

    /// A webhook; a tenant's lie together, so that the fan-out reads them strongly consistent.
    #[must_use]
    pub fn webhook(tenant: &str, id_key: &str) -> Self {
        Self::new(webhooks(tenant), id_key)
    }

    /// A tag; a tenant's lie together with their counts, so that one query reads the whole tree.
    #[must_use]
    pub fn tag(tenant: &str, id_key: &str) -> Self {
        Self::new(tags(tenant), id_key)
    }

    /// What a tag has in hand: the calls that bear it.
    #[must_use]
    pub fn tag_desk(tenant: &str, tag: TagId) -> Self {
        Self::new(tags(tenant), format!("{}{DESK}", tag.key()))
    }

    /// The version of a tenant's tree of tags; it is read before the tags are, since no identifier's key sorts before it.
    #[must_use]
    pub fn tag_tree(tenant: &str) -> Self {
        Self::new(tags(tenant), "!")
    }

    /// An object's row of one value of a filter of which it has many.
    #[must_use]
    pub fn row(tenant: &str, kind: &str, filter: (&str, &str), place: &str) -> Self {
        Self::new(list(tenant, kind, Some(filter)), place)
    }

    /// A guard: this value of this field is taken.
    #[must_use]
    pub fn guard(tenant: &str, kind: &str, field: &str, value: &str) -> Self {
        Self::new(format!("{tenant}#{kind}#{field}#{value}"), "guard")
    }

    /// The customer whom an e-mail or phone stands for.
    #[must_use]
    pub fn matching(tenant: &str, field: &str, value: &str) -> Self {
        Self::new(format!("{tenant}#customer#{field}#{value}"), "match")
    }

    /// What leads from a customer to something of theirs.
    #[must_use]
    pub fn of_customer(tenant: &str, customer: CustomerId, prefix: &str, id: impl Id) -> Self {
        Self::new(object_partition(tenant, "customer", &customer.key()), format!("{prefix}{}", id.key()))
    }

    /// What leads from a removed customer to something that was theirs.
    #[must_use]
    pub fn former(tenant: &str, customer: CustomerId, kind: &str, id: impl Id) -> Self {
        Self::of_customer(tenant, customer, &format!("{FORMER}{kind}#"), id)
    }

    /// One shard of the counters of a kind (`dimension` empty) or of one value of one of its filters.
    #[must_use]
    pub fn counter(tenant: &str, kind: &str, dimension: &str, shard: u8) -> Self {
        Self::new(counters(tenant, kind, dimension), shard.to_string())
    }

    /// A search word of an object.
    #[must_use]
    pub fn word(tenant: &str, kind: &str, word: &str, id_key: &str) -> Self {
        Self::new(words(tenant, kind), word_prefix(word) + id_key)
    }

    /// What a mail's link is good for, by the digest of its token.
    #[must_use]
    pub fn pass(digest: &[u8; 32]) -> Self {
        Self::new(format!("~pass#{}", crate::text::hex(digest)), SELF)
    }

    /// The keys that sign and verify tokens.
    #[must_use]
    pub fn signing_keys() -> Self {
        Self::new("~keys".into(), SELF)
    }

    /// An idempotency key, by the hash of its scope.
    #[must_use]
    pub fn idempotency(scope_hash: &str) -> Self {
        Self::new(format!("~idempotency#{scope_hash}"), SELF)
    }

    /// A rate-limit window, by the hash of what it limits.
    #[must_use]
    pub fn window(scope_hash: &str) -> Self {
        Self::new(format!("~window#{scope_hash}"), SELF)
    }

    /// A further piece of the answer under an idempotency key.
    #[must_use]
    pub fn piece(&self, n: impl std::fmt::Display) -> Self {
        Self::new(self.pk.clone(), n.to_string())
    }

    /// Links of a batch that are to be made, one part of them.
    #[must_use]
    pub fn batch(tenant: &str, batch: BatchId, part: u8) -> Self {
        Self::new(batch_partition(tenant, batch), format!("{part:03}"))
    }

    /// Where an access link's token leads.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Self::new(format!("~token#{token}"), SELF)
    }

    /// Which tenant a call belongs to, for the public pages.
    #[must_use]
    pub fn call_tenant(call: CallId) -> Self {
        Self::new(format!("~call#{}", call.key()), SELF)
    }
}

/// The sort key of a department's hours.
pub const HOURS: &str = "hours";
/// The prefix of membership sort keys.
pub const MEMBERS: &str = "member#";
/// The prefix of sort keys that lead from a customer to a link.
pub const LINKS: &str = "link#";
/// The prefix of sort keys that lead from a removed customer to what was theirs.
pub const FORMER: &str = "former#";
/// The prefix of session sort keys.
pub const SESSIONS: &str = "session#";
/// What ends the sort key of a tag's counts.
pub const DESK: &str = "#desk";

/// The partition of an object and of what lies beside it.
#[must_use]
pub fn object_partition(tenant: &str, kind: &str, id_key: &str) -> String {
    format!("{tenant}#{kind}#{id_key}")
}

/// The partition of a department's queue, in the order of serving.
#[must_use]
pub fn queue(tenant: &str, department: DepartmentId) -> String {
    format!("{tenant}#queue#{}", department.key())
}

/// The partition of a batch of links while they are made.
#[must_use]
pub fn batch_partition(tenant: &str, batch: BatchId) -> String {
    format!("{tenant}#batch#{}", batch.key())
}

/// The partition of an agent's days.
#[must_use]
pub fn agenda(tenant: &str, user: UserId) -> String {
    format!("{tenant}#agenda#{}", user.key())
}

/// The partition of a tenant's webhooks.
#[must_use]
pub fn webhooks(tenant: &str) -> String {
    format!("{tenant}#webhook")
}

/// The partition of a tenant's tags.
#[must_use]
pub fn tags(tenant: &str) -> String {
    format!("{tenant}#tag")
}

/// The partition of all shards of a counter.
#[must_use]
pub fn counters(tenant: &str, kind: &str, dimension: &str) -> String {
    if dimension.is_empty() { format!("{tenant}#count#{kind}") } else { format!("{tenant}#count#{kind}#{dimension}") }
}

/// The partition of a kind's search words.
#[must_use]
pub fn words(tenant: &str, kind: &str) -> String {
    format!("{tenant}#words#{kind}")
}

/// How the keys of what has a word begin.
#[must_use]
pub fn word_prefix(word: &str) -> String {
    format!("{word}#")
}

/// The partition of a list, whole (`filter` none) or of one value of one filter: of an index, or of rows in the table.
#[must_use]
pub fn list(tenant: &str, kind: &str, filter: Option<(&str, &str)>) -> String {
    match filter {
        None => format!("{tenant}#{kind}"),
        Some((name, value)) => format!("{tenant}#{kind}#{name}#{value}"),
    }
}

/// The index partition of the values of a field of a kind.
#[must_use]
pub fn values(tenant: &str, kind: &str, field: &str) -> String {
    format!("{tenant}#{kind}#{field}")
}

/// The index partition of what the clock will change in one tenant's lists of a kind.
#[must_use]
pub fn lapsing(tenant: &str, kind: &str) -> String {
    format!("{tenant}#lapse#{kind}")
}

/// How many shards a kind's own counters have: a transaction takes one of them, a read takes them all in one query.
pub const COUNTER_SHARDS: u8 = 8;

/// The index partition of what was told of a customer, or of an object that has none.
#[must_use]
pub fn about(tenant: &str, whom: &str) -> String {
    format!("{tenant}#about#{whom}")
}

/// How many partitions the index of due work has.
pub const DUE_SHARDS: u8 = 8;

/// One partition of the index of due work.
#[must_use]
pub fn due(shard: u8) -> String {
    format!("~due#{shard}")
}

/// The sort key of due work: its moment, then what it is.
#[must_use]
pub fn due_at(at: Time, key: &Key) -> String {
    format!("{}#{}#{}", at.key(), key.pk, key.sk)
}

/// Due work whose sort key this is has its moment by now.
#[must_use]
pub fn is_due(at: &str, now: Time) -> bool {
    at < (now + std::time::Duration::from_secs(1)).key().as_str()
}

/// Which shard of so many an identifier falls into.
#[must_use]
pub fn shard(id_key: &str, shards: u8) -> u8 {
    let sum = id_key.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u8::try_from(sum % u32::from(shards)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
