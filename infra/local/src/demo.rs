//! The demo tenant: a small company with something to look at.

use std::time::Duration;

use shared::{
    Error, Result,
    app::App,
    chance::Chance,
    clock::{Time, days},
    ids::{Id, TagId, UserId},
    input::{Input, read},
    models::{
        AccessLink, Call, Company, Customer, Department, Membership, Role, Tag, User,
        access_link::LinkStatus,
        call::{Action, Joining},
        company::Plan,
        customer::CustomerInput,
        department::DepartmentInput,
        tag::TagInput,
        user::UserInput,
    },
    storage::{Key, Store, Write},
    tags::Tree,
};
use uuid::Uuid;

use crate::state::State;

/// The tenant's slug.
pub const TENANT: &str = "demo";
/// The password of its three users.
pub const PASSWORD: &str = "voki-demo-2026";
/// Its users, by role.
pub const USERS: [(&str, Role); 3] =
    [("manager@demo.test", Role::Manager), ("supervisor@demo.test", Role::Supervisor), ("attendant@demo.test", Role::Attendant)];

/// Seeds the demo tenant unless it is there. Its company comes last and every identifier follows from its place, so that
/// an attempt that was cut off is finished by the next.
pub async fn seed(app: &App) -> Result<()> {
    let store = app.store(TENANT);
    if store.get::<Company>(()).await?.is_some() {
        return Ok(());
    }
    let now = State::demo_began(app.db(), app.clock().now()).await?;
    let users = users(app, &store, now).await?;
    let department = department(&store, &users, now).await?;
    let customers = customers(&store, now).await?;
    let tags = tags(&store, now).await?;
    calls(&store, &department, &customers, &users, &tags, now).await?;
    links(&store, &department, &customers, now).await?;
    let company = Company::new(id(now, "company"), "Demo Company".into(), TENANT.into(), Plan::Enterprise, now);
    once(store.write().create(&company)).await
}

/// Writes what is not there yet.
async fn once(write: Write<'_>) -> Result<()> {
    match write.commit(()).await {
        Err(Error::Conflict | Error::Invalid(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// An identifier that follows from a moment and a name.
fn id<I: Id>(at: Time, name: &str) -> I {
    let like = UserId::of(at.epoch() * 1000, [0; 10]).uuid();
    I::derived(Uuid::from_u128(like.as_u128() >> 80 << 80), &[name.as_bytes()])
}

fn input<T: Input>(fields: &serde_json::Value) -> Result<T> {
    read(fields.as_object().unwrap_or(&serde_json::Map::new()))
}

async fn users(app: &App, store: &Store, now: Time) -> Result<Vec<User>> {
    let names = ["Marina Manager", "Sandro Supervisor", "Ana Attendant"];
    let mut users = Vec::new();
    for ((email, role), name) in USERS.into_iter().zip(names) {
        let input: UserInput = input(&serde_json::json!({ "name": name, "email": email, "role": role.to_string() }))?;
        let user = User::new(id(now - days(40), email), input, Some(app.passwords().hash(PASSWORD).await?), now - days(40));
        once(store.write().create(&user)).await?;
        users.push(user);
    }
    Ok(users)
}

async fn department(store: &Store, users: &[User], now: Time) -> Result<Department> {
    let input: DepartmentInput = input(
        &serde_json::json!({ "name": "Support", "identifier": "support", "description": "Questions about orders and accounts" }),
    )?;
    let at = now - days(40);
    let count = u32::try_from(users.len()).unwrap_or(0);
    let department = Department { user_count: count, ..Department::new(id(at, "support"), input, at) };
    let size = i64::from(department.input.max_queue_size);
    let mut write = store.write().create(&department).tally(&Key::desk(TENANT, department.id), |desk| {
        desk.set("max_queue_size", Some(size));
    });
    for user in users {
        write = write.create(&Membership { department_id: department.id, user_id: user.id, inserted_at: at });
    }
    once(write).await?;
    Ok(department)
}

async fn customers(store: &Store, now: Time) -> Result<Vec<Customer>> {
    let people = [
        ("João Ferreira", "joao.ferreira@example.com", "+551140001001"),
        ("Beatriz Lima", "beatriz.lima@example.com", "+552140001002"),
        ("Carlos Souza", "carlos.souza@example.com", "+553140001003"),
        ("Helena Duarte", "helena.duarte@example.com", "+351210001004"),
    ];
    let mut customers = Vec::new();
    for (n, (name, email, phone)) in (0..).zip(people) {
        let at = now - days(30 - n);
        let (at_mail, by_phone) = (Some(email.to_owned()), Some(phone.to_owned()));
        let input = CustomerInput { name: name.into(), email: at_mail, phone: by_phone, ..CustomerInput::default() };
        let customer = Customer { call_count: 3, last_call_at: Some(now - days(1)), ..Customer::new(id(at, email), input, at) };
        let holder = || shared::storage::entity::texts([("id", customer.id.key())]);
        let write = store.write().create(&customer);
        once(write.put_over(&Customer::by_email(TENANT, email), holder()).put_over(&Customer::by_phone(TENANT, phone), holder()))
            .await?;
        customers.push(customer);
    }
    Ok(customers)
}

/// Two tags, the second with two more under it. What is there already stays as it is.
async fn tags(store: &Store, now: Time) -> Result<Vec<TagId>> {
    let all = [
        ("Complaint", "#ef4444", None),
        ("Order", "#3b82f6", None),
        ("Delayed", "#f59e0b", Some("Order")),
        ("Lost", "#6b7280", Some("Order")),
    ];
    let (at, mut ids) = (now - days(40), Vec::new());
    for (name, color, parent) in all {
        let parent: Option<TagId> = parent.map(|parent| id(at, parent));
        let input: TagInput = input(&serde_json::json!({ "name": name, "color": color, "parent_id": parent }))?;
        let tag = Tag::new(id(at, name), input, at);
        let tree = Tree::read(store).await?;
        if tree.find(tag.id).is_err() {
            let desk = Key::tag_desk(TENANT, tag.id);
            once(tree.change(store.write()).create(&tag).tally(&desk, Tag::open)).await?;
        }
        ids.push(tag.id);
    }
    Ok(ids)
}

/// Twelve calls of the last twelve days: some served, tagged and rated, some missed.
async fn calls(
    store: &Store,
    department: &Department,
    customers: &[Customer],
    users: &[User],
    tags: &[TagId],
    now: Time,
) -> Result<()> {
    let seconds = |n: u64| Duration::from_secs(n);
    for (n, customer) in (0u64..12).zip(customers.iter().cycle()) {
        let joined = now - days(12 - n) + seconds(n * 1800);
        let place = usize::try_from(n).unwrap_or(0);
        let (contact, agent) = (CustomerInput::default(), &users[place % users.len()]);
        let joining = Joining {
            department,
            customer,
            contact: &contact,
            access_link_id: None,
            reason: Some("An order that has not arrived".into()),
            place: 1,
        };
        let call = Call::new(id(joined, "call"), id(joined, "ticket"), joining, joined);
        let call = if n % 5 == 4 {
            call.after(Action::Lapse, joined + seconds(600))?
        } else {
            let started = joined + seconds(5 + n * 7);
            let ended = started + seconds(120 + n * 45);
            let call = call.after(Action::Start { agent: Some(agent) }, started)?;
            let tag_ids = vec![tags[place % tags.len()]];
            let call = Call { tag_ids, ..call.after(Action::Complete { notes: None }, ended)? };
            let rating = u8::try_from(5 - n % 3).unwrap_or(5);
            if n % 2 == 0 { call.after(Action::Rate { rating, comment: None }, ended + seconds(30))? } else { call }
        };
        once(store.write().create(&call)).await?;
    }
    Ok(())
}

async fn links(store: &Store, department: &Department, customers: &[Customer], now: Time) -> Result<()> {
    for (n, customer) in (1u64..=3).zip(customers) {
        let at = now - days(n * 4);
        let link = AccessLink {
            id: id(at, "link"),
            token: shared::text::token(&Chance::default())?,
            status: LinkStatus::Active,
            department_id: department.id,
            department_name: department.input.name.clone(),
            customer_id: Some(customer.id),
            customer_name: Some(customer.input.name.clone()),
            customer_email: customer.input.email.clone(),
            customer_phone: customer.input.phone.clone(),
            expires_at: at + days(7),
            used_at: None,
            max_uses: 1,
            use_count: 0,
            inserted_at: at,
        };
        let link = if n == 1 { link } else { link.used(at + days(1)).unwrap_or(link) };
        once(store.write().create(&link)).await?;
    }
    Ok(())
}
