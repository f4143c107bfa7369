//! `/appointments`: calls with a date.

mod actions;
mod availability;
mod booking;
mod conflicts;
mod ics;
mod list;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Appointments", "Calls with a date.")
        .get("/api/v1/appointments", list::list, "listAppointments", "The tenant's appointments, the earliest first")
        .post("/api/v1/appointments", booking::create, "createAppointment", "Books an appointment")
        .get("/api/v1/appointments/conflicts", conflicts::check, "checkConflicts", "Whether an agent is taken at a time")
        .get("/api/v1/appointments/availability", availability::find, "listAvailability", "Times at which agents are free")
        .get("/api/v1/appointments/{id}", list::read, "getAppointment", "One appointment")
        .put("/api/v1/appointments/{id}", booking::update, "updateAppointment", "Changes an appointment, all but its status")
        .get("/api/v1/appointments/{id}/ics", ics::read, "getAppointmentIcs", "An appointment for a calendar")
        .post("/api/v1/appointments/{id}/confirm", actions::confirm, "confirmAppointment", "Confirms an appointment")
        .post("/api/v1/appointments/{id}/cancel", actions::cancel, "cancelAppointment", "Calls an appointment off")
        .post("/api/v1/appointments/{id}/complete", actions::complete, "completeAppointment", "An appointment took place")
        .post("/api/v1/appointments/{id}/no-show", actions::no_show, "noShowAppointment", "The customer did not come")
        .post(
            "/api/v1/appointments/{id}/reschedule",
            booking::reschedule,
            "rescheduleAppointment",
            "Gives an appointment another time, and perhaps another agent",
        )
}
