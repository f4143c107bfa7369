//! Booking an appointment, and booking it otherwise.

use schemars::JsonSchema;
use shared::{
    Error, Result,
    api::{Created, IfMatch, Merge, Path, Proposed, Shown, Valid},
    auth::{Attendant, Caller},
    clock::Time,
    error::Violations,
    events::{Event, EventName},
    ids::{AppointmentId, CustomerId, UserId},
    input::{Draft, Fields, Input, rules},
    matching::{self, Match},
    models::{
        Appointment, Company, Customer, Department, User,
        appointment::{Action, Agenda, AppointmentChange, AppointmentInput, AppointmentStatus, Span, agenda, minutes},
        customer::CustomerInput,
        department::Desk,
    },
    storage::{Entity, Key, Snapshot, Stored, Write, contend},
    text,
};

use crate::{actions::with_company, conflicts::clear};

/// Books an appointment.
pub async fn create(caller: Caller<Attendant>, Proposed(draft): Proposed<AppointmentInput>) -> Result<Created<Appointment>> {
    contend(|| async {
        let booked = Booked::make(&caller, &draft, None).await?;
        let made = &booked.appointment;
        let event = Event::Appointment(EventName::AppointmentCreated, Box::new(made.clone()));
        let write = caller.write().create(made).emit(&event, made.inserted_at);
        booked.with_what_follows(write).commit(Created(made.clone())).await
    })
    .await
}

/// Changes an appointment. Another time or agent of an open one is as good as rescheduling it.
pub async fn update(
    caller: Caller<Attendant>,
    Path(id): Path<AppointmentId>,
    matching: IfMatch,
    Merge(patch): Merge<AppointmentChange>,
) -> Result<Shown<Appointment>> {
    contend(|| async {
        let (seen, company) = with_company(&caller, id).await?;
        matching.check(&seen)?;
        let before = AppointmentChange::of(&seen);
        let mut change = patch.onto(&before)?;
        if change.booked.customer_id != seen.customer_id {
            change = patch.onto(&before.of_nobody())?;
            // Who is described as the one who is booked is that one: a PUT can be repeated.
            if change.booked.customer_id.is_none() && change.booked.describes_customer_of(&seen) {
                change.booked.customer_id = seen.customer_id;
            }
        }
        let mut draft = Draft::from(change.booked);
        if change.status != seen.status {
            draft.violations.add("status", "is changed by confirming, cancelling, completing and the like");
        }
        let booked = Booked::make(&caller, &draft, Some((&seen, &company))).await?;
        let changed = &booked.appointment;
        let mut write = caller.write().update(&seen, changed);
        if booked.moved && seen.status.is_open() {
            let event = Event::Appointment(EventName::AppointmentRescheduled, Box::new(changed.clone()));
            write = regained(write.emit(&event, changed.updated_at), &seen, changed);
        }
        booked.with_what_follows(write).commit(Shown(changed.clone(), seen.version + 1)).await
    })
    .await
}

/// When it is instead, and whose.
#[derive(Debug, JsonSchema)]
pub struct Reschedule {
    /// When it begins, in the future.
    scheduled_at: Time,
    /// Minutes that it takes; as many as before when absent.
    #[schemars(range(min = 5, max = 1440))]
    duration_minutes: Option<u32>,
    /// The agent, who must be active; the same when absent.
    user_id: Option<UserId>,
    /// Whether it is refused when the agent is taken at that time, as if the company prevented double booking.
    #[schemars(extend("default" = false))]
    reject_conflicts: bool,
}

impl Input for Reschedule {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            scheduled_at: fields.required("scheduled_at", rules::future),
            duration_minutes: minutes(fields),
            user_id: fields.optional("user_id", rules::id),
            reject_conflicts: fields.default("reject_conflicts", false, rules::boolean),
        }
    }
}

/// Gives an open appointment another time, and perhaps another agent.
pub async fn reschedule(
    caller: Caller<Attendant>,
    Path(id): Path<AppointmentId>,
    Valid(input): Valid<Reschedule>,
) -> Result<Shown<Appointment>> {
    let (store, tenant) = (caller.store(), caller.tenant());
    contend(|| async {
        let agent = async {
            match input.user_id {
                Some(user) => store.get::<User>(user).await.map(Some),
                None => Ok(None),
            }
        };
        let ((seen, company), agent) = tokio::try_join!(with_company(&caller, id), agent)?;
        let mut violations = Violations::default();
        if let Some(agent) = &agent {
            able(agent.as_ref(), &mut violations);
        }
        violations.into_result(())?;
        let span = Span { start: input.scheduled_at, minutes: input.duration_minutes.unwrap_or(seen.duration_minutes) };
        let agent = agent.flatten();
        let changed = seen.after(Action::Reschedule { span, agent: agent.as_deref() }, caller.now())?;
        let event = Event::Appointment(EventName::AppointmentRescheduled, Box::new(changed.clone()));
        let mut write = caller.write().update(&seen, &changed).emit(&event, changed.updated_at);
        write = regained(write, &seen, &changed);
        let moved = (changed.user_id, span) != (seen.user_id, seen.span());
        if moved && (company.input.prevent_double_booking || input.reject_conflicts) {
            let found = store.db().items(&agenda::keys(tenant, changed.user_id, span)).await?;
            let agenda = Agenda::of(tenant, &found, changed.user_id, span);
            clear(store, &agenda, seen.department_id, Some(id)).await?;
            write = agenda.unchanged(write);
        }
        write.commit(Shown(changed, seen.version + 1)).await
    })
    .await
}

/// What was over has another time: its department, which may have been removed since, has it in hand again.
fn regained<'a>(write: Write<'a>, seen: &Appointment, changed: &Appointment) -> Write<'a> {
    /// Nobody's clock is as far behind.
    const SLACK: std::time::Duration = std::time::Duration::from_secs(300);
    let now = changed.updated_at;
    if !seen.is_over(now + SLACK) || changed.is_over(now) {
        return write;
    }
    let desk = Desk::regains(write.store().tenant(), changed.department_id);
    write.count(&desk)
}

/// Who takes appointments is active.
pub fn able(agent: Option<&Stored<User>>, violations: &mut Violations) {
    match agent {
        Some(agent) if agent.input.active => {}
        Some(_) => violations.add("user_id", "is not active"),
        None => violations.add("user_id", "does not exist"),
    }
}

/// An appointment as an input has it, and what must be written beside it.
struct Booked {
    appointment: Appointment,
    /// It takes another time, or another agent's.
    moved: bool,
    /// The customer whom the booking makes known.
    met: Option<(Match, Customer)>,
    /// The customer whom it names, who must still be there.
    named: Option<CustomerId>,
    /// The days on which nothing else may have been entered.
    agenda: Option<Agenda>,
}

impl Booked {
    /// Everything that it rests on is read at once, but for what only that tells: whom a phone number stands for. Of an
    /// appointment that is changed, only what is named anew is read.
    async fn make(
        caller: &Caller<Attendant>,
        Draft { input, violations }: &Draft<AppointmentInput>,
        before: Option<(&Stored<Appointment>, &Stored<Company>)>,
    ) -> Result<Self> {
        let (store, tenant, now) = (caller.store(), caller.tenant(), caller.now());
        let seen = before.map(|(seen, _)| &seen.value);
        let named = Named::of(caller, input, seen);
        let span = Span { start: input.scheduled_at, minutes: input.duration_minutes };
        let moved = seen.is_none_or(|seen| (Some(seen.user_id), seen.span()) != (named.agent, span));
        let takes = moved && seen.is_none_or(|seen| seen.status.is_open());
        let strict = |company: &Company| company.input.prevent_double_booking || input.reject_conflicts;
        let days = named.agent.filter(|_| takes && before.is_none_or(|(_, company)| strict(company)));
        let company_key = Company::key(tenant, ());
        let mut keys: Vec<Key> = named.keys(tenant, input);
        keys.extend(days.into_iter().flat_map(|agent| agenda::keys(tenant, agent, span)));
        keys.extend(before.is_none().then(|| company_key.clone()));
        let mut found = if keys.is_empty() { Snapshot::default() } else { store.db().items(&keys).await? };
        let company = match before {
            Some((_, company)) => company.clone(),
            None => found.take(&company_key)?.ok_or_else(|| Error::Internal("no company".into()))?,
        };
        let mut violations = violations.clone();
        if span.start <= now && seen.is_some_and(|seen| seen.scheduled_at != span.start) {
            violations.add("scheduled_at", "must be in the future");
        }
        let customer = named.customer.as_ref().and_then(|key| found.item(key).cloned());
        let customer = matching::follow(store, customer).await?;
        let given = named.found(&mut found, customer, input, &company, &mut violations)?;
        violations.into_result(())?;
        let agent = named.agent.ok_or_else(|| Error::Internal("no agent".into()))?;
        let agenda = days.filter(|_| strict(&company)).map(|agent| Agenda::of(tenant, &found, agent, span));
        if let Some(agenda) = &agenda {
            clear(store, agenda, input.department_id, seen.map(|seen| seen.id)).await?;
        }
        let met = match &given.stranger {
            Some(contact) => {
                let matched = Match::find(store, &found, None, contact).await?;
                let customer = match &matched.known {
                    Some(known) => known.introduced(contact, now),
                    None => Customer::new(store.mint()?, contact.clone(), now),
                };
                Some((matched, customer))
            }
            None => None,
        };
        let named = given.customer.as_ref().map(|customer| customer.id);
        let customer = met.as_ref().map(|(_, customer)| customer).or(given.customer.as_deref());
        let name_of =
            |name: Option<&String>, before: fn(&Appointment) -> &String| name.or(seen.map(before)).cloned().unwrap_or_default();
        let appointment = Appointment {
            id: seen.map_or_else(|| store.mint(), |seen| Ok(seen.id))?,
            title: input.title.clone(),
            description: input.description.clone(),
            status: seen.map_or(AppointmentStatus::Scheduled, |seen| seen.status),
            scheduled_at: span.start,
            duration_minutes: span.minutes,
            department_id: input.department_id,
            department_name: name_of(given.department.as_ref().map(|it| &it.input.name), |seen| &seen.department_name),
            user_id: agent,
            user_name: name_of(given.agent.as_ref().map(|it| &it.input.name), |seen| &seen.user_name),
            customer_id: customer.map(|customer| customer.id).or(input.customer_id),
            customer_name: input.customer_name.clone().or_else(|| customer.map(|customer| customer.input.name.clone())),
            customer_email: input.customer_email.clone().or_else(|| customer?.input.email.clone()),
            customer_phone: given.phone.or_else(|| customer?.input.phone.clone()),
            notes: input.notes.clone(),
            cancellation_reason: seen.and_then(|seen| seen.cancellation_reason.clone()),
            rescheduled_at: seen.and_then(|seen| if seen.scheduled_at == span.start { seen.rescheduled_at } else { Some(now) }),
            inserted_at: seen.map_or(now, |seen| seen.inserted_at),
            updated_at: now,
        };
        Ok(Self { appointment, moved, met, named, agenda })
    }

    fn with_what_follows<'a>(&self, write: Write<'a>) -> Write<'a> {
        let write = match &self.agenda {
            Some(agenda) => agenda.unchanged(write),
            None => write,
        };
        let write = match self.named {
            Some(id) => {
                let key = Customer::key(write.store().tenant(), id);
                write.exists::<Customer>(&key, |_| Error::Conflict)
            }
            None => write,
        };
        match &self.met {
            Some((matched, customer)) => matched.introduce(write, customer, self.appointment.updated_at),
            None => write,
        }
    }
}

/// What an input names that was not looked at before.
struct Named {
    department: Option<Key>,
    /// The agent; none when an API key names none.
    agent: Option<UserId>,
    other_agent: Option<Key>,
    customer: Option<Key>,
    /// The customer is who has the e-mail or the phone number.
    stranger: bool,
}

/// What was named, found.
struct Given {
    department: Option<Stored<Department>>,
    agent: Option<Stored<User>>,
    customer: Option<Stored<Customer>>,
    stranger: Option<CustomerInput>,
    phone: Option<String>,
}

impl Named {
    fn of(caller: &Caller<Attendant>, input: &AppointmentInput, seen: Option<&Appointment>) -> Self {
        let (tenant, person) = (caller.tenant(), caller.claims.scopes.is_none().then(|| caller.user()));
        let agent = input.user_id.or(person);
        let department = Some(input.department_id).filter(|id| seen.is_none_or(|seen| seen.department_id != *id));
        let other_agent = agent.filter(|id| seen.is_none_or(|seen| seen.user_id != *id));
        // Of a customer whose name is taken away here, the own is shown.
        let nameless = input.customer_name.is_none();
        let customer = input.customer_id.filter(|id| nameless || seen.is_none_or(|seen| seen.customer_id != Some(*id)));
        Self {
            department: department.map(|id| Department::key(tenant, id)),
            agent,
            other_agent: other_agent.map(|id| User::key(tenant, id)),
            customer: customer.map(|id| Customer::key(tenant, id)),
            // Of whose customer was removed it stays nobody's, until somebody is described.
            stranger: input.customer_id.is_none()
                && seen.is_none_or(|seen| seen.customer_id.is_some() || input.describes_somebody()),
        }
    }

    fn keys(&self, tenant: &str, input: &AppointmentInput) -> Vec<Key> {
        let email = input.customer_email.as_deref().filter(|_| self.stranger);
        let named = [&self.department, &self.other_agent, &self.customer].into_iter().flatten().cloned();
        named.chain(matching::key(tenant, email)).collect()
    }

    /// Takes out of what was read what was named, and notes what is wrong with it.
    fn found(
        &self,
        found: &mut Snapshot,
        customer: Option<Stored<Customer>>,
        input: &AppointmentInput,
        company: &Company,
        violations: &mut Violations,
    ) -> Result<Given> {
        let department = taken(found, self.department.as_ref(), "department_id", violations)?;
        if self.customer.is_some() && customer.is_none() {
            violations.add("customer_id", "does not exist");
        }
        let agent = self.other_agent.as_ref().map(|key| found.take::<User>(key)).transpose()?;
        if let Some(agent) = &agent {
            able(agent.as_ref(), violations);
        }
        if self.agent.is_none() {
            violations.also("user_id", "can't be blank");
        }
        if self.stranger && input.customer_name.is_none() && !violations.has("customer_id") {
            violations.also("customer_name", "can't be blank without customer_id");
        }
        let phone = input.customer_phone.as_deref().map(|phone| text::phone(phone, &company.input.country)).transpose();
        let phone = phone.unwrap_or_else(|message| {
            violations.add("customer_phone", message);
            None
        });
        let name = input.customer_name.clone().filter(|_| self.stranger);
        let stranger = name.map(|name| {
            let (email, phone) = (input.customer_email.clone(), phone.clone());
            CustomerInput { name, email, phone, ..CustomerInput::default() }
        });
        Ok(Given { department, agent: agent.flatten(), customer, stranger, phone })
    }
}

/// What a key names; it is noted when there is no such thing.
fn taken<T: Entity>(
    found: &mut Snapshot,
    key: Option<&Key>,
    field: &str,
    violations: &mut Violations,
) -> Result<Option<Stored<T>>> {
    let Some(key) = key else { return Ok(None) };
    let object = found.take(key)?;
    if object.is_none() {
        violations.also(field, "does not exist");
    }
    Ok(object)
}
