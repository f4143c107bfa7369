//! The life of an appointment: one function from (state, action) to a new state or a refusal.

use super::{Appointment, AppointmentStatus, Span};
use crate::{
    clock::Time,
    error::{Error, Result},
    models::User,
};

/// What can be done to an appointment.
#[derive(Debug, Clone)]
pub enum Action<'a> {
    /// The agent or the customer confirms it.
    Confirm,
    /// It is called off.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// It took place.
    Complete,
    /// The customer did not come.
    NoShow,
    /// It gets another time, and perhaps another agent; it stands where it stood.
    Reschedule {
        /// When.
        span: Span,
        /// The agent.
        agent: Option<&'a User>,
    },
}

impl Appointment {
    /// The appointment after an action.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `status` when the action does not fit the state.
    pub fn after(&self, action: Action<'_>, now: Time) -> Result<Self> {
        use AppointmentStatus::{Cancelled, Completed, Confirmed, NoShow, Scheduled};
        let after = Self { updated_at: now, ..self.clone() };
        match (self.status, action) {
            (Scheduled, Action::Confirm) => Ok(Self { status: Confirmed, ..after }),
            (Scheduled | Confirmed, Action::Cancel { reason }) => {
                Ok(Self { status: Cancelled, cancellation_reason: reason, ..after })
            }
            (Scheduled | Confirmed, Action::Complete) => Ok(Self { status: Completed, ..after }),
            (Scheduled | Confirmed, Action::NoShow) => Ok(Self { status: NoShow, ..after }),
            (Scheduled | Confirmed, Action::Reschedule { span, agent }) => {
                let rescheduled_at = if span.start == self.scheduled_at { self.rescheduled_at } else { Some(now) };
                let after = Self { scheduled_at: span.start, duration_minutes: span.minutes, rescheduled_at, ..after };
                Ok(match agent {
                    Some(agent) => Self { user_id: agent.id, user_name: agent.input.name.clone(), ..after },
                    None => after,
                })
            }
            (status, action) => {
                Err(Error::invalid("status", format!("cannot {} an appointment that is {status}", action.verb())))
            }
        }
    }
}

impl Action<'_> {
    fn verb(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Cancel { .. } => "cancel",
            Self::Complete => "complete",
            Self::NoShow => "miss",
            Self::Reschedule { .. } => "reschedule",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AppointmentId, DepartmentId, UserId};

    const NOW: Time = Time::from_epoch(1_700_000_000);

    fn in_status(status: AppointmentStatus) -> Appointment {
        Appointment {
            id: AppointmentId::default(),
            title: "A talk".into(),
            description: None,
            status,
            scheduled_at: NOW,
            duration_minutes: 30,
            department_id: DepartmentId::default(),
            department_name: "Support".into(),
            user_id: UserId::default(),
            user_name: "Ana".into(),
            customer_id: None,
            customer_name: None,
            customer_email: None,
            customer_phone: None,
            notes: None,
            cancellation_reason: None,
            rescheduled_at: None,
            inserted_at: Time::from_epoch(0),
            updated_at: Time::from_epoch(0),
        }
    }

    #[test]
    fn every_state_meets_every_action() {
        use AppointmentStatus::{Cancelled, Completed, Confirmed, NoShow, Scheduled};
        let span = Span { start: Time::from_epoch(1_800_000_000), minutes: 45 };
        let actions = || {
            [
                Action::Confirm,
                Action::Cancel { reason: Some("ill".into()) },
                Action::Complete,
                Action::NoShow,
                Action::Reschedule { span, agent: None },
            ]
        };
        let expected = [
            (Scheduled, [Some(Confirmed), Some(Cancelled), Some(Completed), Some(NoShow), Some(Scheduled)]),
            (Confirmed, [None, Some(Cancelled), Some(Completed), Some(NoShow), Some(Confirmed)]),
            (Completed, [None; 5]),
            (Cancelled, [None; 5]),
            (NoShow, [None; 5]),
        ];
        for (status, outcomes) in expected {
            for (action, outcome) in actions().into_iter().zip(outcomes) {
                let (verb, moved) = (action.verb(), matches!(action, Action::Reschedule { .. }));
                let after = in_status(status).after(action, NOW).ok();
                assert_eq!(after.as_ref().map(|after| after.status), outcome, "{verb} an appointment that is {status}");
                let Some(after) = after else { continue };
                assert_eq!(after.updated_at, NOW);
                assert_eq!(after.span() == span, moved, "{verb}");
                assert_eq!(after.rescheduled_at, moved.then_some(NOW), "{verb}");
                assert_eq!(after.cancellation_reason.is_some(), outcome == Some(Cancelled), "{verb}");
            }
        }
    }
}
