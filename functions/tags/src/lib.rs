//! `/tags`: the labels of calls, in a tree.

mod crud;

use shared::{api::Routes, app::Need};

/// What it needs of its environment.
pub const NEEDS: &[Need] = &[];

/// The group's routes.
pub fn routes() -> Routes {
    Routes::of("Tags", "The labels of calls, in a tree.")
        .get("/api/v1/tags", crud::list, "listTags", "The tenant's tags")
        .post("/api/v1/tags", crud::create, "createTag", "Makes a tag that no call bears")
        .get("/api/v1/tags/tree", crud::tree, "getTagTree", "The tenant's tags as a tree")
        .get("/api/v1/tags/{id}", crud::read, "getTag", "One tag")
        .put("/api/v1/tags/{id}", crud::update, "updateTag", "Changes a tag, and with `parent_id` where it lies")
        .delete("/api/v1/tags/{id}", crud::remove, "deleteTag", "Removes a tag and those under it, also from the calls")
}
