//! The secret of a stack on one machine: a file beside its data, so that the data alone gives no secrets away.

use std::{
    fs::{File, read_to_string, rename},
    io::{self, Write},
};

use shared::{chance::Chance, crypto::secret::Secret};

use crate::aws::{Data, StartError};

/// The secret of a data folder, which the first start makes.
///
/// # Errors
/// When the file cannot be read or made.
pub fn of(data: &Data) -> Result<Secret, StartError> {
    let fresh = || Chance::default().draw().map(Secret::new).map_err(|error| io::Error::other(error.to_string()));
    let Data::Folder(folder) = data else {
        return fresh().map_err(|source| StartError::Folder { path: "memory".into(), source });
    };
    let path = folder.join("secret");
    let kept = match read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fresh().and_then(|secret| {
            let whole = folder.join("secret.new");
            keep(&mut File::create(&whole)?, &secret)?;
            rename(&whole, &path)?;
            Ok(secret)
        }),
        Err(error) => Err(error),
        Ok(text) => Secret::parse(&text).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason)),
    };
    kept.map_err(|source| StartError::Folder { path, source })
}

/// Only whose data it is may read it; it is whole on the disk before it has its name.
fn keep(file: &mut File, secret: &Secret) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    writeln!(file, "{}", secret.text())?;
    file.sync_all()
}
