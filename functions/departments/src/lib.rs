//! `/departments`: where calls queue, and who serves there.

mod crud;
mod hours;
mod members;
mod unclosed;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Departments", "Where calls queue, and who serves there.")
        .get("/api/v1/departments", crud::list, "listDepartments", "The tenant's departments")
        .post("/api/v1/departments", crud::create, "createDepartment", "Makes a department with an empty queue")
        .get("/api/v1/departments/{id}", crud::read, "getDepartment", "One department")
        .put("/api/v1/departments/{id}", crud::update, "updateDepartment", "Changes a department")
        .delete("/api/v1/departments/{id}", crud::remove, "deleteDepartment", "Removes a department that has nothing in hand")
        .get("/api/v1/departments/{id}/hours", hours::read, "getDepartmentHours", "When a department is open")
        .put("/api/v1/departments/{id}/hours", hours::update, "updateDepartmentHours", "Says when a department is open")
        .get("/api/v1/departments/{id}/users", members::list, "listDepartmentUsers", "The users who serve in a department")
        .post("/api/v1/departments/{id}/users", members::add, "addDepartmentUser", "Lets a user serve in a department")
        .delete(
            "/api/v1/departments/{id}/users/{user_id}",
            members::remove,
            "removeDepartmentUser",
            "Lets a user serve there no longer",
        )
}
