//! Reminders of appointments, a day and an hour before the beginning: an event, and a mail to the customer.
//!
//! What waits for the moment lies beside the appointment and follows from it, so that whoever moves or ends the one moves or
//! ends the other. The schedule sets it to the next moment in the transaction that tells of this one: of many at once one
//! does, and who comes late tells what is nearest, but never after the beginning. See docs/decisions/0022.

use crate::{
    error::Result,
    events::Event,
    ids::AppointmentId,
    matching,
    models::{Appointment, appointment::Reminder, mail::Letter},
    storage::{
        Entity, Key, Store, contend,
        entity::{self, DUE},
        keys,
    },
};

/// Reminds of an appointment, if it is time; answers whether it was.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer; the appointment then stays due.
pub async fn remind(store: &Store, id: AppointmentId) -> Result<bool> {
    let keys = [Appointment::key(store.tenant(), id), Key::reminder(store.tenant(), id)];
    contend(|| async {
        let (mut found, now) = (store.db().items(&keys).await?, store.clock().now());
        let due = found.item(&keys[1]).and_then(|item| entity::text(item, DUE.1)).filter(|at| keys::is_due(at, now));
        let due = due.map(ToOwned::to_owned);
        let Some((at, seen)) = due.zip(found.take::<Appointment>(&keys[0])?) else { return Ok(false) };
        let next = seen.next_reminder(now).map(|at| entity::due(&keys[1], at)).unwrap_or_default();
        let write = store.write().replace(&keys[1], (DUE.1, at), Some(next));
        let Some(minutes_before) = seen.reminder(now) else { return write.commit(()).await.map(|()| false) };
        let (appointment, email) = with_whom(store, &seen).await?;
        let scheduled_at = appointment.scheduled_at;
        let event = Event::Reminder(Box::new(Reminder { appointment, minutes_before }));
        let write = write.emit(&event, now);
        let write = match email {
            Some(_) => write.post(Letter::Reminder { appointment_id: id, scheduled_at }, now),
            None => write,
        };
        write.commit(()).await.map(|()| true)
    })
    .await
}

/// An appointment as it may be told, and the e-mail by which its customer is reached: without the customer who was removed,
/// also while that is still being taken off the appointment.
///
/// # Errors
/// [`crate::Error::Internal`] when the table does not answer.
pub async fn with_whom(store: &Store, appointment: &Appointment) -> Result<(Appointment, Option<String>)> {
    let Some(id) = appointment.customer_id else { return Ok((appointment.forgotten(), None)) };
    Ok(match matching::customer(store, id).await? {
        Some(customer) => {
            let email = appointment.customer_email.clone().or_else(|| customer.input.email.clone());
            (appointment.clone(), email)
        }
        None => (appointment.forgotten(), None),
    })
}
