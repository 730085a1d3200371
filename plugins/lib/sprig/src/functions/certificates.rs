//! Keys and certificates.

use std::any::Any;
use std::net::IpAddr;

use weir_gotemplate::{Args, Call, FuncError, Functions, Kind, List, Object, Text, Type, Value};

use super::{INT, TEXT, fixed, shown};
use crate::circumstances::Options;
use crate::crypto::certificate::{self, Certificate, CertificateError, Request, choose_key};
use crate::crypto::key::PrivateKey;
use crate::crypto::random::Generator;

const CERTIFICATE: Type = Type::Named("sprig.certificate");
const LIST: Type = Type::ANY_LIST;
/// What making a key costs of the budget: some tenths of a second of a plugin's time.
const NEW_KEY: u64 = 2_000_000;

impl Object for Certificate {
    fn type_name(&self) -> &str {
        CERTIFICATE.name()
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Cert", self.cert.as_str().into()),
            ("Key", self.key.as_str().into()),
        ]
    }
}

pub(super) fn add(functions: &mut Functions, options: Options) {
    functions.add("genPrivateKey", fixed(&[TEXT]), move |call, args| {
        let kind = args.text(0)?;
        call.spend(NEW_KEY)?;
        let mut generator = options.generator(call, "genPrivateKey", args)?;
        Ok(
            match PrivateKey::generate(kind.as_bytes(), &mut generator) {
                None => Text::from([b"Unknown type ", kind.as_bytes()].concat()).into(),
                Some(Ok(key)) => key.to_pem().unwrap_or_default().into(),
                Some(Err(error)) => format!("failed to generate private key: {error}").into(),
            },
        )
    });
    for (name, with_key, signature) in [
        ("genCA", false, fixed(&[TEXT, INT])),
        ("genCAWithKey", true, fixed(&[TEXT, INT, TEXT])),
    ] {
        functions.add(name, signature, move |call, args| {
            let mut order = Order::new(
                call,
                options,
                name,
                args,
                if with_key { Some(2) } else { None },
            )?;
            let request = Request {
                common_name: args.text(0)?.as_bytes(),
                addresses: &[],
                names: &[],
                days: args.int(1)?,
                authority: true,
                now: order.now,
            };
            order.finish(&request, None)
        });
    }
    for (name, with_key, signed, signature) in [
        (
            "genSelfSignedCert",
            None,
            false,
            fixed(&[TEXT, LIST, LIST, INT]),
        ),
        (
            "genSelfSignedCertWithKey",
            Some(4),
            false,
            fixed(&[TEXT, LIST, LIST, INT, TEXT]),
        ),
        (
            "genSignedCert",
            None,
            true,
            fixed(&[TEXT, LIST, LIST, INT, CERTIFICATE]),
        ),
        (
            "genSignedCertWithKey",
            Some(5),
            true,
            fixed(&[TEXT, LIST, LIST, INT, CERTIFICATE, TEXT]),
        ),
    ] {
        functions.add(name, signature, move |call, args| {
            let authority = if signed {
                Some(args.object::<Certificate>(4)?)
            } else {
                None
            };
            let addresses = addresses(args.list(1)?)?;
            let names = names(args.list(2)?)?;
            let mut order = Order::new(call, options, name, args, with_key)?;
            let request = Request {
                common_name: args.text(0)?.as_bytes(),
                addresses: &addresses,
                names: &names,
                days: args.int(3)?,
                authority: false,
                now: order.now,
            };
            order.finish(&request, authority)
        });
    }
    functions.add("buildCustomCert", fixed(&[TEXT, TEXT]), |_, args| {
        let (cert, key) = (args.text(0)?.as_bytes(), args.text(1)?.as_bytes());
        let (cert, key) = certificate::custom(cert, key).map_err(returned)?;
        let text = |bytes: Vec<u8>| Text::from(bytes).lossy().into_owned();
        Ok(Value::object(Certificate {
            cert: text(cert),
            key: text(key),
        }))
    });
}

fn returned(error: CertificateError) -> FuncError {
    FuncError::new(error.to_string())
}

/// What a certificate is made with.
struct Order {
    generator: Generator,
    key: PrivateKey,
    now: i64,
}

impl Order {
    fn new(
        call: &mut Call<'_>,
        options: Options,
        function: &str,
        args: Args<'_>,
        key_at: Option<usize>,
    ) -> Result<Self, FuncError> {
        call.spend(NEW_KEY)?;
        let now = options.now(call)?;
        let mut generator = options.generator(call, function, args)?;
        let pem = key_at.map(|at| args.text(at)).transpose()?;
        let key = choose_key(pem.map(Text::as_bytes), &mut generator).map_err(returned)?;
        Ok(Self {
            generator,
            key,
            now,
        })
    }

    fn finish(
        &mut self,
        request: &Request<'_>,
        authority: Option<&Certificate>,
    ) -> Result<Value, FuncError> {
        let made = match authority {
            Some(authority) => {
                certificate::signed(request, &self.key, authority, &mut self.generator)
            }
            None => certificate::self_signed(request, &self.key, &mut self.generator),
        };
        made.map(Value::object).map_err(returned)
    }
}

fn addresses(list: &List) -> Result<Vec<IpAddr>, FuncError> {
    let each = list.iter().map(|value| {
        let text = value.as_text();
        let text = text.ok_or_else(|| {
            FuncError::new(format!(
                "error parsing ip: {} is not a string",
                shown(value)
            ))
        })?;
        let address = text.lossy().parse();
        address.map_err(|_| FuncError::new(format!("error parsing ip: {text}")))
    });
    each.collect()
}

fn names(list: &List) -> Result<Vec<Vec<u8>>, FuncError> {
    let each = list.iter().map(|value| {
        let text = value.as_text().map(|text| text.as_bytes().to_vec());
        let refusal = || {
            format!(
                "error processing alternate dns name: {} is not a string",
                shown(value)
            )
        };
        text.ok_or_else(|| FuncError::new(refusal()))
    });
    each.collect()
}
