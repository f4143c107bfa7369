//! A call as the API shows it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Call, CallStatus};
use crate::{
    clock::Time,
    ids::{CallId, CustomerId, DepartmentId, UserId},
    models::{Role, tag::CallTag},
};

/// A call as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Call")]
pub struct CallView {
    /// Its identifier.
    pub id: CallId,
    /// Where it stands.
    pub status: CallStatus,
    /// The department.
    pub department_id: DepartmentId,
    /// The department's name at the latest transition.
    pub department_name: String,
    /// The agent.
    pub user_id: Option<UserId>,
    /// The agent's name at the latest transition.
    pub user_name: Option<String>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// The customer's name at the latest transition.
    pub customer_name: Option<String>,
    /// The customer's e-mail.
    pub customer_email: Option<String>,
    /// The customer's phone number, E.164.
    pub customer_phone: Option<String>,
    /// What the customer wants.
    pub reason: Option<String>,
    /// The place in the queue, 1 is next; null once served.
    pub position: Option<u64>,
    /// Seconds in queues so far.
    pub wait_time: u64,
    /// Seconds of talk; null before it is over.
    pub duration: Option<u64>,
    /// How the customer found it, 5 is best.
    #[schemars(range(min = 1, max = 5))]
    pub rating: Option<u8>,
    /// The customer's words with the rating.
    pub comment: Option<String>,
    /// The agent's notes.
    pub notes: Option<String>,
    /// A supervisor's notes; absent for attendants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_notes: Option<Option<String>>,
    /// Why it was called off.
    pub cancel_reason: Option<String>,
    /// Whether a recording has arrived.
    pub has_recording: bool,
    /// The tags that it bears.
    pub tags: Vec<CallTag>,
    /// When it entered the present queue.
    pub queued_at: Time,
    /// When an agent was set.
    pub assigned_at: Option<Time>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it was over.
    pub completed_at: Option<Time>,
    /// When it joined.
    pub inserted_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Call {
    /// The call as the API shows it to a role at a moment, with its place in the queue and its tags.
    #[must_use]
    pub fn view(&self, role: Role, position: Option<u64>, tags: Vec<CallTag>, now: Time) -> CallView {
        let call = self.at(now);
        let queued = call.status == CallStatus::Queued;
        CallView {
            id: call.id,
            status: call.status,
            department_id: call.department_id,
            department_name: call.department_name,
            user_id: call.user_id,
            user_name: call.user_name,
            customer_id: call.customer_id,
            customer_name: call.customer_name,
            customer_email: call.customer_email,
            customer_phone: call.customer_phone,
            reason: call.reason,
            position: if queued { position } else { None },
            wait_time: call.waited + if queued { now.since(call.queued_at) } else { 0 },
            duration: call.completed_at.map(|_| call.talked),
            rating: call.rating,
            comment: call.comment,
            notes: call.notes,
            manager_notes: (role >= Role::Supervisor).then_some(call.manager_notes),
            cancel_reason: call.cancel_reason,
            has_recording: false,
            tags,
            queued_at: call.queued_at,
            assigned_at: call.assigned_at,
            started_at: call.started_at,
            completed_at: call.completed_at,
            inserted_at: call.inserted_at,
            updated_at: call.updated_at,
        }
    }
}
