//! Client certificates that admit a terminal, over real TLS.

use super::pos::{Answer, sale};
use crate::support::{house::House, http};
use onetill::{
    admin::{
        Request,
        loyalty::{
            self,
            demo::{CARD, STORE, TERMINAL},
            stores::StoreChange,
        },
    },
    server::Fingerprint,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use std::{fs, io, net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use wire::jpos::Form;

/// An authority that issues certificates to shops.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Shown {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn issue(&self) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["shop".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Shown {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

/// A gateway that takes no address for granted and speaks TLS; and how to trust it.
struct Shop {
    house: House,
    trusted: CertificateDer<'static>,
}

impl Shop {
    async fn open(dir: &Path, authority: &Authority) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let path = |name: &str| dir.join(name);
        fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(path("cert.pem"), made.cert.pem()).unwrap();
        fs::write(path("clients.pem"), authority.0.pem()).unwrap();
        let files = ["cert.pem", "key.pem", "clients.pem"].map(path);
        let setup = House::setup().cards().options(|it| {
            it.tls_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
            let [cert, key, clients] = files;
            (it.tls_cert, it.tls_key, it.tls_client_ca) = (Some(cert), Some(key), Some(clients));
        });
        let setup = setup.rig(|it| it.loyalty.admits_loopback = false);
        Self {
            house: setup.open().await,
            trusted: made.cert.der().clone(),
        }
    }

    /// What a till connects with, showing this certificate or none.
    fn connector(&self, shown: Option<&Shown>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        TlsConnector::from(Arc::new(match shown {
            None => config.with_no_client_auth(),
            Some(it) => config
                .with_client_auth_cert(vec![it.certificate.clone()], it.key.clone_key())
                .unwrap(),
        }))
    }

    async fn ask(
        &self,
        till: &TlsConnector,
        function: &str,
        fields: &[(&'static str, &str)],
    ) -> io::Result<Answer> {
        let mut form = Form::new();
        form.push("storeNo", STORE).push("terminalNo", TERMINAL);
        for (name, value) in fields {
            form.push(name, *value);
        }
        let call = http::post(&format!("/v1/jpos/{function}"), form.encode());
        let stream = TcpStream::connect(self.house.https.unwrap()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = till.connect(name, stream).await?;
        stream.write_all(&http::request(&call, "")).await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        Ok(Answer::read(&http::Reply::read(&reply)))
    }

    async fn check_in(&self, till: &TlsConnector) -> String {
        let answer = self.ask(till, "terminal/checkin", &[("operatorNo", "001")]);
        answer.await.unwrap().code().to_owned()
    }

    async fn bind(&self, certificates: &[&Shown]) {
        let fingerprint = |it: &&Shown| Fingerprint::of(&it.certificate).to_string().to_uppercase();
        let change = StoreChange {
            number: STORE.to_owned(),
            certificates: Some(certificates.iter().map(fingerprint).collect()),
            ..StoreChange::default()
        };
        let request = Request::Loyalty(loyalty::Request::SetStore(change));
        self.house.admin(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_terminal_is_admitted_by_its_stores_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let shop = Shop::open(dir.path(), &authority).await;
    let (ours, others) = (authority.issue(), authority.issue());
    let [without, with, with_others] =
        [None, Some(&ours), Some(&others)].map(|it| shop.connector(it));
    assert_eq!(shop.check_in(&with).await, "58", "nothing is bound yet");
    shop.bind(&[&ours]).await;
    assert_eq!(shop.check_in(&with).await, "00");
    let sale = sale("000001", CARD, "1", "1");
    let sold = shop.ask(&with, "trans/consume", &sale).await.unwrap();
    sold.expect("00");
    for till in [&without, &with_others] {
        assert_eq!(shop.check_in(till).await, "58");
        let refused = shop.ask(till, "trans/consume", &sale).await.unwrap();
        refused.expect("58");
    }
    // A new certificate beside the old one, and then instead of it.
    shop.bind(&[&ours, &others]).await;
    assert_eq!(shop.check_in(&with).await, "00");
    assert_eq!(shop.check_in(&with_others).await, "00");
    shop.bind(&[&others]).await;
    assert_eq!(
        shop.check_in(&with).await,
        "58",
        "a resumed session proves no more than a new one"
    );
    shop.house.end().await;
}

#[tokio::test]
async fn a_strangers_certificate_gets_no_further_than_the_handshake() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let shop = Shop::open(dir.path(), &authority).await;
    let stranger = Authority::new().issue();
    // Even one that somebody bound.
    shop.bind(&[&stranger]).await;
    let till = shop.connector(Some(&stranger));
    let refused = shop.ask(&till, "terminal/checkin", &[("operatorNo", "001")]);
    assert!(refused.await.is_err());
    shop.house.end().await;
}
