//! Writes the events under `events/` and their answers anew, then the API's document with them as its examples. Look at the
//! difference before it is committed.

use std::{error::Error, fs, path::Path};

use local::openapi::{openapi, recorded};
use tests::{Sample, World};

// What is measured takes no time: the time stands still.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let world = World::start().await;
    for sample in Sample::all(&world).await {
        sample.write(&sample.written(world.replay(&sample).await));
        world.reset().await;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = openapi(&local::routes(), &recorded(&root.join("events"))?);
    fs::write(root.join("functions/docs/openapi.json"), format!("{document:#}\n"))?;
    Ok(())
}
