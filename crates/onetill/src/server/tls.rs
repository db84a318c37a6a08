//! Certificate and key of the HTTPS listener, and their renewal while it runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Where certificate and key are. Both are PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate, followed by the intermediate ones.
    pub cert: PathBuf,
    /// Its private key (PKCS#8, PKCS#1 or SEC1), without a passphrase.
    pub key: PathBuf,
    /// The authorities whose client certificates are taken; without it no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// Why HTTPS can't be offered. The text names the file and what to do; it never quotes the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file can't be read.
    #[error(
        "cannot read {}: {source}; check the path and that this user may read it",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate in the certificate file.
    #[error(
        "{} holds no readable certificate; it must be PEM (-----BEGIN CERTIFICATE-----), the \
         server's own first, then the intermediate ones",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key is protected by a passphrase.
    #[error(
        "the key in {} has a passphrase, and nobody is there to type it; write one without: \
         openssl pkey -in {} -out server.key, then chmod 600 server.key",
        path.display(),
        path.display()
    )]
    KeyEncrypted {
        /// The file.
        path: PathBuf,
    },
    /// No key in the key file.
    #[error(
        "{} holds no readable private key; it must be PEM (-----BEGIN PRIVATE KEY-----)",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// No usable authority in the file of client authorities.
    #[error(
        "{} holds no usable certificate of an authority for clients: {reason}; it must be PEM \
         (-----BEGIN CERTIFICATE-----)",
        path.display()
    )]
    NoClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key don't work, or not together.
    #[error(
        "certificate {} and key {} cannot be used together: {source}; check that both come from \
         the same issue of the certificate",
        cert.display(),
        key.display()
    )]
    Unusable {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
}

/// What newcomers are shown. Connections that are open keep what they were shown.
pub(super) struct Identity {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
}

impl Identity {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`], with a text that names the file and what to do.
    pub(super) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            files: files.clone(),
            acceptor: RwLock::new(acceptor(&Pem::read(files)?, files)?),
        })
    }

    /// An acceptor of the certificate in use.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks at the files every `every` and at SIGHUP, for ever, and takes them over when they
    /// have changed. What cannot be used is told once, and the old certificate stays.
    pub(super) async fn renew(self: Arc<Self>, every: Duration) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut seen = Pem::read(&self.files).map(|pem| pem.digest()).ok();
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = hung_up(hangup.as_mut()) => {}
            }
            let identity = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || identity.look(seen)).await;
            // It is not known what was seen if the look broke off: look again.
            seen = looked.unwrap_or(seen);
        }
    }

    /// Takes over what has changed since `seen`; what is seen now.
    fn look(&self, seen: Option<[u8; 32]>) -> Option<[u8; 32]> {
        let pem = match Pem::read(&self.files) {
            Ok(pem) => pem,
            Err(error) => {
                if seen.is_some() {
                    tracing::error!("{error}. The certificate in use stays");
                }
                return None;
            }
        };
        let digest = pem.digest();
        if seen != Some(digest) {
            self.take_over(&pem);
        }
        Some(digest)
    }

    fn take_over(&self, pem: &Pem) {
        let path = self.files.cert.display();
        match acceptor(pem, &self.files) {
            Ok(renewed) => {
                *self
                    .acceptor
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = renewed;
                tracing::info!(%path, "the certificate was renewed");
            }
            Err(error) => tracing::error!("{error}. The certificate in use stays"),
        }
    }
}

/// The next SIGHUP; never, when this process cannot hear it.
async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Both files as they were read.
struct Pem {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Pem {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            cert: read(&files.cert)?,
            key: Zeroizing::new(read(&files.key)?),
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    /// Tells one set of files from another without keeping the key.
    fn digest(&self) -> [u8; 32] {
        let client_ca = self.client_ca.as_deref().unwrap_or_default();
        let parts = [&*self.cert, &*self.key, client_ca].map(Sha256::digest);
        Sha256::digest(parts.concat()).into()
    }
}

/// An acceptor for TLS 1.2 and 1.3 that offers HTTP/1.1.
fn acceptor(pem: &Pem, files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&pem.cert, &files.cert)?;
    let key = private_key(&pem.key, &files.key)?;
    let unusable = |source| TlsError::Unusable {
        cert: files.cert.clone(),
        key: files.key.clone(),
        source,
    };
    let clients = clients(pem, files)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whose certificates are taken. Nobody needs to show one; a wrong one ends the handshake.
fn clients(pem: &Pem, files: &TlsFiles) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let (Some(text), Some(path)) = (&pem.client_ca, &files.client_ca) else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let useless = |reason: String| TlsError::NoClientCa {
        path: path.clone(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(text) {
        let authority = authority.map_err(|error| useless(error.to_string()))?;
        let added = roots.add(authority);
        added.map_err(|error| useless(error.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.allow_unauthenticated().build();
    verifier.map_err(|error| useless(error.to_string()))
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) | Err(_) => Err(TlsError::NoCertificate { path: path.into() }),
    }
}

fn private_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    let holds = |mark: &[u8]| pem.windows(mark.len()).any(|window| window == mark);
    if ENCRYPTED.into_iter().any(holds) {
        return Err(TlsError::KeyEncrypted { path: path.into() });
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::NoKey { path: path.into() })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair {
        dir: tempfile::TempDir,
        files: TlsFiles,
    }

    fn pair() -> Pair {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            cert: dir.path().join("server.crt"),
            key: dir.path().join("server.key"),
            client_ca: None,
        };
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        Pair { dir, files }
    }

    fn refusal(files: &TlsFiles) -> String {
        Identity::open(files).err().unwrap().to_string()
    }

    #[test]
    fn takes_a_matching_pair() {
        assert!(Identity::open(&pair().files).is_ok());
    }

    #[test]
    fn names_the_file_that_is_missing() {
        let mut pair = pair();
        pair.files.cert = pair.dir.path().join("absent.crt");
        let text = refusal(&pair.files);
        assert!(
            text.contains("absent.crt") && text.contains("check the path"),
            "{text}"
        );
    }

    #[test]
    fn tells_swapped_files_apart() {
        let pair = pair();
        let TlsFiles { cert, key, .. } = &pair.files;
        let swapped = TlsFiles {
            cert: key.clone(),
            key: cert.clone(),
            client_ca: None,
        };
        let text = refusal(&swapped);
        assert!(
            text.contains("server.key holds no readable certificate"),
            "{text}"
        );
        let no_key = TlsFiles {
            cert: cert.clone(),
            key: cert.clone(),
            client_ca: None,
        };
        let text = refusal(&no_key);
        assert!(
            text.contains("server.crt holds no readable private key"),
            "{text}"
        );
    }

    #[test]
    fn refuses_the_key_of_another_certificate() {
        let (mut one, mut other) = (pair(), pair());
        std::mem::swap(&mut one.files.key, &mut other.files.key);
        let text = refusal(&one.files);
        assert!(text.contains("cannot be used together"), "{text}");
    }

    #[test]
    fn an_authority_for_clients_must_be_one() {
        let mut pair = pair();
        pair.files.client_ca = Some(pair.files.cert.clone());
        assert!(Identity::open(&pair.files).is_ok());
        pair.files.client_ca = Some(pair.files.key.clone());
        let text = refusal(&pair.files);
        assert!(
            text.contains("server.key holds no usable certificate"),
            "{text}"
        );
        pair.files.client_ca = Some(pair.dir.path().join("absent.pem"));
        assert!(refusal(&pair.files).contains("absent.pem"));
    }

    #[test]
    fn says_how_to_remove_a_passphrase() {
        let pair = pair();
        let pem =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        std::fs::write(&pair.files.key, pem).unwrap();
        assert!(refusal(&pair.files).contains("openssl pkey"));
    }
}
