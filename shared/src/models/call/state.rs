//! The life of a call: one function from (state, action) to a new state or a refusal.

use super::{Call, CallStatus, User};
use crate::{
    clock::Time,
    error::{Error, Result},
};

/// What can be done to a call.
#[derive(Debug, Clone)]
pub enum Action<'a> {
    /// An agent is set. Unless `reassign`, another agent's call stays with that agent.
    Assign {
        /// The agent.
        agent: &'a User,
        /// Another agent's call may be taken over.
        reassign: bool,
    },
    /// The agent begins; one without an agent is taken by `agent` in the same step.
    Start {
        /// Who takes an unassigned one.
        agent: Option<&'a User>,
    },
    /// The agent ends it.
    Complete {
        /// The agent's notes.
        notes: Option<String>,
    },
    /// The customer leaves the queue.
    Leave,
    /// The agent serves no longer: the call waits for whoever comes.
    Release,
    /// The clock passes the deadline.
    Lapse,
    /// The customer rates it, once.
    Rate {
        /// 1 to 5.
        rating: u8,
        /// The customer's words.
        comment: Option<String>,
    },
}

impl Call {
    /// The call after an action.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `status` (or `rating`) when the action does not fit the state.
    pub fn after(&self, action: Action<'_>, now: Time) -> Result<Self> {
        use CallStatus::{Active, Completed, Queued};
        let call = self.at(now);
        match (call.status, action) {
            (Queued, Action::Assign { agent, reassign }) => match call.user_id {
                Some(known) if known != agent.id && !reassign => {
                    Err(Error::invalid("status", "has already been assigned to another agent"))
                }
                Some(known) if known == agent.id => Ok(call),
                _ => Ok(call.with_agent(agent, now)),
            },
            (Queued, Action::Start { agent }) => {
                let call = match (call.user_id, agent) {
                    (None, Some(agent)) => call.with_agent(agent, now),
                    (None, None) => return Err(Error::invalid("user_id", "can't be blank")),
                    (Some(_), _) => call,
                };
                Ok(Self {
                    status: Active,
                    waited: call.waited + now.since(call.queued_at),
                    started_at: Some(now),
                    updated_at: now,
                    ..call
                })
            }
            (Active, Action::Complete { notes }) => Ok(Self {
                status: Completed,
                talked: call.talked + call.started_at.map_or(0, |start| now.since(start)),
                notes: notes.or_else(|| call.notes.clone()),
                completed_at: Some(now),
                updated_at: now,
                ..call
            }),
            (Queued, Action::Leave) => Ok(call.missed(now)),
            (Queued, Action::Release) => Ok(Self { user_id: None, user_name: None, assigned_at: None, updated_at: now, ..call }),
            (_, Action::Lapse) if self.overdue(now) => Ok(call),
            (Completed, Action::Rate { rating, comment }) => match call.rating {
                None => Ok(Self { rating: Some(rating), comment, updated_at: now, ..call }),
                Some(_) => Err(Error::invalid("rating", "has already been submitted")),
            },
            (status, action) => Err(Error::invalid("status", format!("cannot {} a call that is {status}", action.verb()))),
        }
    }
}

impl Action<'_> {
    fn verb(&self) -> &'static str {
        match self {
            Self::Assign { .. } => "assign",
            Self::Start { .. } => "start",
            Self::Complete { .. } => "complete",
            Self::Leave => "leave",
            Self::Release => "release",
            Self::Lapse => "lapse",
            Self::Rate { .. } => "rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{Id, UserId},
        input::{Input, read},
        models::{Customer, Department, call::Joining, customer::CustomerInput, department::DepartmentInput, user::UserInput},
    };

    const START: Time = Time::from_epoch(1_700_000_000);

    fn at(seconds: u64) -> Time {
        START + std::time::Duration::from_secs(seconds)
    }

    fn fields(json: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
        json.as_object().cloned().unwrap()
    }

    fn input<T: Input>(json: &serde_json::Value) -> T {
        read(&fields(json)).unwrap()
    }

    fn agent(seed: i64) -> User {
        let input: UserInput = input(&serde_json::json!({"name": format!("Agent {seed}"), "email": "a@b.test"}));
        User::new(UserId::of(seed, [0; 10]), input, None, START)
    }

    fn queued() -> Call {
        let department =
            Department::new(Id::of(1, [0; 10]), input::<DepartmentInput>(&serde_json::json!({"name": "Support"})), START);
        let contact = CustomerInput { name: "Ana".into(), ..CustomerInput::default() };
        let customer = Customer::new(Id::of(2, [0; 10]), contact.clone(), START);
        let joining = Joining {
            department: &department,
            customer: &customer,
            contact: &contact,
            access_link_id: None,
            reason: None,
            place: 1,
        };
        Call::new(Id::of(3, [0; 10]), Id::of(4, [0; 10]), joining, START)
    }

    fn in_status(status: CallStatus) -> Call {
        let agent = agent(1);
        let active = || queued().after(Action::Start { agent: Some(&agent) }, at(12)).unwrap();
        match status {
            CallStatus::Queued => queued(),
            CallStatus::Active => active(),
            CallStatus::Completed => active().after(Action::Complete { notes: None }, at(72)).unwrap(),
            CallStatus::Missed => queued().after(Action::Leave, at(5)).unwrap(),
            CallStatus::Cancelled => Call { status: CallStatus::Cancelled, ..queued() },
        }
    }

    #[test]
    fn every_state_meets_every_action() {
        use CallStatus::{Active, Cancelled, Completed, Missed, Queued};
        let agent = agent(1);
        let actions = || {
            [
                Action::Assign { agent: &agent, reassign: false },
                Action::Start { agent: Some(&agent) },
                Action::Complete { notes: None },
                Action::Leave,
                Action::Release,
                Action::Lapse,
                Action::Rate { rating: 5, comment: None },
            ]
        };
        let expected = [
            (Queued, [Some(Queued), Some(Active), None, Some(Missed), Some(Queued), None, None]),
            (Active, [None, None, Some(Completed), None, None, None, None]),
            (Completed, [None, None, None, None, None, None, Some(Completed)]),
            (Missed, [None; 7]),
            (Cancelled, [None; 7]),
        ];
        for (status, outcomes) in expected {
            for (action, outcome) in actions().into_iter().zip(outcomes) {
                let verb = action.verb();
                let after = in_status(status).after(action, at(100)).ok().map(|call| call.status);
                assert_eq!(after, outcome, "{verb} a call that is {status}");
            }
        }
    }

    #[test]
    fn from_its_deadline_on_a_waiting_call_is_missed_whoever_looks() {
        let call = queued();
        assert_eq!(call.deadline, at(300));
        assert_eq!(call.at(at(299)).status, CallStatus::Queued);
        let missed = call.after(Action::Lapse, at(5000)).unwrap();
        assert_eq!((missed.status, missed.waited, missed.updated_at), (CallStatus::Missed, 300, at(300)));
        let agent = agent(1);
        assert!(call.after(Action::Assign { agent: &agent, reassign: true }, at(300)).is_err());
        assert!(call.after(Action::Lapse, at(299)).is_err());
    }

    #[test]
    fn one_agent_wins_and_only_a_supervisor_takes_over() {
        let (first, second) = (agent(1), agent(2));
        let assigned = queued().after(Action::Assign { agent: &first, reassign: false }, at(1)).unwrap();
        assert_eq!(assigned.user_id, Some(first.id));
        let again = assigned.after(Action::Assign { agent: &first, reassign: false }, at(2)).unwrap();
        assert_eq!(again.assigned_at, Some(at(1)));
        assert!(assigned.after(Action::Assign { agent: &second, reassign: false }, at(2)).is_err());
        let taken = assigned.after(Action::Assign { agent: &second, reassign: true }, at(2)).unwrap();
        assert_eq!(taken.user_id, Some(second.id));
    }

    #[test]
    fn waiting_and_talking_are_whole_seconds() {
        let completed = in_status(CallStatus::Completed);
        assert_eq!((completed.waited, completed.talked), (12, 60));
    }

    #[test]
    fn a_call_is_rated_once() {
        let rated =
            in_status(CallStatus::Completed).after(Action::Rate { rating: 4, comment: Some("ok".into()) }, at(99)).unwrap();
        assert_eq!(rated.rating, Some(4));
        assert!(rated.after(Action::Rate { rating: 1, comment: None }, at(100)).is_err());
    }
}
