//! Every list that grows, by numbers and by cursors: every row once, in order, while others come and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Dice, shared};

use crate::scene::{Scene, text};

/// Rows of a list before anybody reads it.
const ROWS: usize = 17;
/// A day that is to come: 2040-01-02T00:00:00Z.
const DAY: i64 = 2_209_075_200;

/// A list of a tenant.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Customers,
    Links,
    Appointments,
    /// The calls that bear a tag.
    Borne,
}

/// What the lists of a scene are about.
struct Lists {
    scene: Scene,
    tag: String,
    dice: Dice,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Customers, Self::Links, Self::Appointments, Self::Borne];

    /// Where it is read, without what is no longer in it.
    fn path(self, lists: &Lists) -> String {
        match self {
            Self::Customers => "/api/v1/customers?".into(),
            Self::Links => "/api/v1/access-links?status=active".into(),
            Self::Appointments => format!("/api/v1/appointments?status=scheduled&user_id={}", lists.scene.agent_id),
            Self::Borne => format!("/api/v1/calls?tag_id={}", lists.tag),
        }
    }

    /// Its sorts, and what each goes by; a name without regard to case and accents.
    fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Customers => &["name", "email", "inserted_at"],
            Self::Links => &["inserted_at", "expires_at"],
            Self::Appointments => &["scheduled_at", "inserted_at"],
            Self::Borne => &["inserted_at"],
        }
    }
}

impl Lists {
    async fn new(seed: u64) -> Self {
        let scene = Scene::new(shared()).await;
        let tag = scene.agent.post("/api/v1/tags", json!({ "tag": { "name": "Borne" } })).await.expect(201).data();
        Self { scene, tag: text(&tag["id"]), dice: Dice::new(seed) }
    }

    /// One row more, where many are alike; answers its identifier.
    async fn add(&mut self, kind: Kind) -> String {
        let manager = self.scene.tenant.manager.clone();
        let made = async |path: &str, body: Value| text(&manager.post(path, body).await.expect(201).data()["id"]);
        let name = *self.dice.one_of(&["ana", "Ana", "Ána", "Bia", "bruno", "Zoé"]);
        let time = |n: usize| ::shared::clock::Time::from_epoch(DAY + i64::try_from(n).unwrap() * 3600).to_string();
        match kind {
            Kind::Customers => {
                let email = self.dice.once_in(2).then(|| format!("{}@example.com", self.dice.below(5)));
                made("/api/v1/customers", json!({ "customer": { "name": name, "email": email } })).await
            }
            Kind::Links => {
                let soon = in_days(self.dice.below(4));
                let link = json!({ "department_id": self.scene.department, "expires_at": soon, "max_uses": 2 });
                made("/api/v1/access-links", json!({ "access_link": link })).await
            }
            Kind::Appointments => {
                let fields = json!({
                    "title": name, "scheduled_at": time(self.dice.below(4)), "department_id": self.scene.department,
                    "user_id": self.scene.agent_id, "customer_name": name,
                });
                made("/api/v1/appointments", json!({ "appointment": fields })).await
            }
            Kind::Borne => {
                let call = self.scene.join(name).await;
                let _ = manager.post(&format!("/api/v1/calls/{call}/tags"), json!({ "tag_id": self.tag })).await.expect(201);
                call
            }
        }
    }

    /// A row leaves its list.
    async fn remove(&self, kind: Kind, id: &str) {
        let manager = &self.scene.tenant.manager;
        let _ = match kind {
            Kind::Customers => manager.delete(&format!("/api/v1/customers/{id}")).await.expect(204),
            Kind::Links => manager.post(&format!("/api/v1/access-links/{id}/cancel"), json!({})).await.expect(200),
            Kind::Appointments => manager.post(&format!("/api/v1/appointments/{id}/cancel"), json!({})).await.expect(200),
            Kind::Borne => manager.delete(&format!("/api/v1/calls/{id}/tags/{}", self.tag)).await.expect(204),
        };
    }
}

/// A day after so many days.
fn in_days(days: usize) -> String {
    let now = shared().app().clock().now();
    (now + ::shared::clock::days(u64::try_from(days).unwrap() + 1)).to_string()
}

async fn page(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()
}

fn rows(page: &Value) -> Vec<Value> {
    page["data"].as_array().unwrap().clone()
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(&row["id"])).collect()
}

/// What a row is sorted by, as people see it.
fn key(row: &Value, sort: &str) -> String {
    row[sort].as_str().unwrap_or_default().to_lowercase().replace('á', "a").replace('é', "e")
}

/// All rows by cursors, so many at a time.
async fn followed(client: &Client, path: &str, size: usize, total: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = page(client, &format!("{path}&page_size={size}{cursor}")).await;
        assert_eq!(page["meta"]["total_count"], total, "{path}");
        all.extend(ids(&rows(&page)));
        let Some(next) = page["meta"]["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// All rows by the numbers of their pages.
async fn numbered(client: &Client, path: &str, size: usize, total: usize) -> Vec<String> {
    let mut all = Vec::new();
    for n in 1..=total.div_ceil(size) {
        let page = page(client, &format!("{path}&page_size={size}&page={n}")).await;
        assert_eq!(
            (&page["meta"]["total_pages"], &page["meta"]["current_page"]),
            (&json!(total.div_ceil(size)), &json!(n)),
            "{path}"
        );
        all.extend(ids(&rows(&page)));
    }
    all
}

#[tokio::test]
async fn every_page_of_every_sort_is_a_part_of_the_whole() {
    for (kind, seed) in Kind::ALL.into_iter().zip(1..) {
        let mut lists = Lists::new(seed).await;
        let client = lists.scene.tenant.manager.clone();
        // A scene has a link already.
        let here = page(&client, &kind.path(&lists)).await;
        let mut known: BTreeSet<_> = ids(&rows(&here)).into_iter().collect();
        for _ in 0..ROWS {
            known.insert(lists.add(kind).await);
        }
        let gone = known.pop_first().unwrap();
        lists.remove(kind, &gone).await;
        for sort in kind.sorts() {
            let base = format!("{}&sort_by={sort}", kind.path(&lists));
            let path = |order: &str| format!("{base}&sort_order={order}");
            let whole = rows(&page(&client, &format!("{}&page_size=100", path("asc"))).await);
            assert_eq!(ids(&whole).into_iter().collect::<BTreeSet<_>>(), known, "seed {seed}: {kind:?} {sort}");
            assert!(whole.is_sorted_by_key(|row| key(row, sort)), "seed {seed}: {kind:?} {sort}: {whole:?}");
            let mut whole = ids(&whole);
            for order in ["asc", "desc"] {
                let size = 1 + lists.dice.below(6);
                let path = path(order);
                assert_eq!(followed(&client, &path, size, known.len()).await, whole, "seed {seed}: {path}, {size} at a time");
                assert_eq!(numbered(&client, &path, size, known.len()).await, whole, "seed {seed}: {path}, {size} at a time");
                whole.reverse();
            }
        }
    }
}

#[tokio::test]
async fn who_reads_on_meets_every_row_that_stays_once() {
    for (kind, seed) in Kind::ALL.into_iter().zip(11..) {
        let mut lists = Lists::new(seed).await;
        let client = lists.scene.tenant.manager.clone();
        for sort in kind.sorts() {
            let mut before = BTreeSet::new();
            for _ in 0..ROWS {
                before.insert(lists.add(kind).await);
            }
            let here = page(&client, &format!("{}&page_size=100", kind.path(&lists))).await;
            let mut staying: BTreeSet<_> = ids(&rows(&here)).into_iter().collect();
            assert!(before.is_subset(&staying));
            let order = *lists.dice.one_of(&["asc", "desc"]);
            let path = format!("{}&sort_by={sort}&sort_order={order}", kind.path(&lists));
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            // The list grows by less than is read of it, so that it has an end.
            for _ in 0..40 {
                let page = page(&client, &format!("{path}&page_size=4{cursor}")).await;
                seen.extend(ids(&rows(&page)));
                let Some(next) = page["meta"]["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
                let _ = lists.add(kind).await;
                // Now one that was read, now one that is still to come.
                let all: Vec<_> = staying.iter().cloned().collect();
                let gone = lists.dice.one_of(&all).clone();
                lists.remove(kind, &gone).await;
                staying.remove(&gone);
            }
            let once: BTreeSet<_> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "seed {seed}: {path}: a row twice");
            assert!(staying.is_subset(&once), "seed {seed}: {path}: a row is missed");
        }
    }
}
