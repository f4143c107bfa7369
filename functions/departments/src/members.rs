//! Who serves in a department.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Added, Filters, NoContent, Paging, Path, Path2, Query, Rows, Valid},
    auth::{Attendant, Caller, Supervisor},
    ids::{DepartmentId, Id, UserId},
    input::{Fields, Input, rules},
    models::{Department, Membership, User, user::UserView},
    storage::{Entity, Stored, contend, entity, keys},
    text,
};

/// Where in the list.
#[derive(Debug, JsonSchema)]
pub struct Wanted {
    #[schemars(flatten)]
    paging: Paging<User>,
}

impl Input for Wanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { paging: Paging::read(fields, false) }
    }
}

/// Who is to serve.
#[derive(Debug, JsonSchema)]
pub struct Member {
    /// The user.
    user_id: UserId,
}

impl Input for Member {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self { user_id: fields.required("user_id", rules::id) }
    }
}

/// The users who serve in a department.
pub async fn list(
    caller: Caller<Attendant>,
    Path(id): Path<DepartmentId>,
    Query(wanted): Query<Wanted>,
) -> Result<Rows<UserView>> {
    let store = caller.store();
    let paging = wanted.paging.of(id);
    let query = paging.query(&caller, Filters::none())?;
    let partition = keys::object_partition(store.tenant(), Department::KIND, &id.key());
    let members = store.db().partition(&partition, keys::MEMBERS);
    let (_, members) = tokio::try_join!(store.find::<Department>(id), members)?;
    let ids = members
        .into_iter()
        .map(|item| entity::from_item::<Membership>(item).map(|member| member.user_id))
        .collect::<Result<Vec<_>>>()?;
    let mut users = store.get_all::<User>(ids).await?;
    if let Some(search) = &paging.search {
        let wanted = User::sought(search);
        users.retain(|user| text::are_found(&wanted, &text::words(&[&user.input.name, &user.input.email])));
    }
    let page = store.page_in_memory(users, &query)?;
    Ok(paging.rows(&caller, &query, page, |user| user.view()))
}

/// Lets a user serve in a department; again changes nothing.
pub async fn add(
    caller: Caller<Supervisor>,
    Path(id): Path<DepartmentId>,
    Valid(input): Valid<Member>,
) -> Result<Added<UserView>> {
    let store = caller.store();
    contend(|| async {
        let keys = [
            Department::key(store.tenant(), id),
            User::key(store.tenant(), input.user_id),
            Membership::key(store.tenant(), (id, input.user_id)),
        ];
        let mut found = store.db().items(&keys).await?;
        let department: Stored<Department> = found.take(&keys[0])?.ok_or(Error::NotFound("Resource not found"))?;
        let user: Stored<User> = found.take(&keys[1])?.ok_or_else(|| Error::invalid("user_id", "does not exist"))?;
        if found.item(&keys[2]).is_some() {
            return Ok(Added { data: user.view(), new: false });
        }
        let now = caller.now();
        let membership = Membership { department_id: id, user_id: input.user_id, inserted_at: now };
        let grown = Department { user_count: department.user_count + 1, updated_at: now, ..department.value.clone() };
        caller.write().create(&membership).update(&department, &grown).commit(Added { data: user.view(), new: true }).await
    })
    .await
}

/// Lets a user serve no longer in a department.
pub async fn remove(caller: Caller<Supervisor>, Path2(id, user): Path2<DepartmentId, UserId>) -> Result<NoContent> {
    let store = caller.store();
    contend(|| async {
        let keys = [Department::key(store.tenant(), id), Membership::key(store.tenant(), (id, user))];
        let mut found = store.db().items(&keys).await?;
        let missing = || Error::NotFound("Resource not found");
        let department: Stored<Department> = found.take(&keys[0])?.ok_or_else(missing)?;
        let membership: Stored<Membership> = found.take(&keys[1])?.ok_or_else(missing)?;
        let shrunk = Department {
            user_count: department.user_count.saturating_sub(1),
            updated_at: caller.now(),
            ..department.value.clone()
        };
        caller.write().delete(&membership).update(&department, &shrunk).commit(NoContent).await
    })
    .await
}
