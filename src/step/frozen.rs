//! What a plan freezes: whatever a run stands on, so that every step sees the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::work_dir;
use crate::day::{Dates, Day};
use crate::failure::{Kind, failure, input};
use crate::input::account_range::AccountRange;
use crate::input::catalog::{Catalog, Delivery, InputFile};
use crate::input::file::OpenFile;
use crate::input::unique::KeyShard;
use crate::job::{InputSpec, Inputs, JobSources, OtherSource, RUN_FILES, Source};
use crate::run::Deliveries;
use crate::store::StoredObject;

/// A run frozen before its first step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenPlan {
    /// Of the program: steps of another version are refused.
    pub program_version: String,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Where the run is published.
    pub out: PathBuf,
    /// Whether to replace a run that is published already.
    pub replace: bool,
    /// The job files.
    pub sources: Vec<FrozenSource>,
    /// The variables of the environment that the job file names.
    pub variables: BTreeMap<String, String>,
    /// Transactions, repayments, lines, then what earlier runs published.
    pub inputs: Vec<FrozenInput>,
    /// Of the run.
    pub fingerprint: String,
    /// Where sorted deliveries lie.
    pub shelf: PathBuf,
    /// Deliveries to be sorted.
    pub to_sort: Vec<DeliveryToSort>,
    /// Whose repeats are found before, and by which keys.
    pub keys: Vec<KeysTask>,
    /// The accounts, shared out in order.
    pub ranges: Vec<AccountRange>,
}

/// A job file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenSource {
    /// The name under which a run keeps it.
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What has been delivered of an input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenInput {
    /// Its name.
    pub name: String,
    /// Oldest first.
    pub deliveries: Vec<FrozenDelivery>,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenDelivery {
    /// `None` of an undated input.
    pub date: Option<Day>,
    /// By name.
    pub files: Vec<FrozenFile>,
}

/// A file of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenFile {
    /// Relative to the input's root.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it was; `None` where it does not bear on the run.
    pub version: Option<FileVersion>,
    /// What an object store said of it: no other object is read in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<StoredObject>,
}

/// What a file was when it was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// Bytes.
    pub size: u64,
    /// When it was last written: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// Of its bytes.
    pub sha256: String,
}

/// A delivery to be sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryToSort {
    /// Its input.
    pub input: String,
    /// `None` of an undated input.
    pub delivery: Option<Day>,
}

/// A delivery whose repeats are found by some of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysTask {
    /// The delivery.
    pub of: DeliveryToSort,
    /// The keys.
    pub shard: KeyShard,
}

impl DeliveryToSort {
    /// For people.
    pub fn text(&self) -> String {
        self.delivery.map_or(self.input.clone(), |day| format!("{} of {day}", self.input))
    }
}

impl FileVersion {
    /// That of a file which has been hashed.
    pub fn of(file: &OpenFile) -> Result<FileVersion> {
        let stamp = file.stamp();
        Ok(FileVersion { size: stamp.size, modified: stamp.modified, sha256: file.sha256()?.to_string() })
    }

    /// Whether a file looks as it did. Its bytes are not looked at.
    fn fits(&self, file: &OpenFile) -> bool {
        let stamp = file.stamp();
        (self.size, self.modified) == (stamp.size, stamp.modified)
    }
}

impl FrozenPlan {
    /// Reads a plan that this version of the program made.
    pub fn read(path: &Path) -> Result<FrozenPlan> {
        let of = path.display();
        let bytes = work_dir::read(path)
            .map_err(|error| input(format!("read the plan {of}: {error}: can this machine see it?")))?;
        let plan: FrozenPlan = serde_json::from_slice(&bytes)
            .map_err(|error| input(format!("read the plan {of}: {error}: make it again")))?;
        if plan.program_version != env!("CARGO_PKG_VERSION") {
            let message = format!(
                "the plan {of} is of version {}, this program is of {}: install the same everywhere",
                plan.program_version,
                env!("CARGO_PKG_VERSION"),
            );
            return Err(failure(Kind::Usage, message));
        }
        Ok(plan)
    }

    /// What the run is for.
    pub fn dates(&self) -> Dates {
        Dates { as_of: self.as_of, known_on: self.known_on, chain_from: None }
    }

    /// The job files.
    pub fn sources(&self) -> Result<JobSources> {
        let all = self.sources.iter().map(|FrozenSource { name, path, text }| OtherSource {
            name: name.clone(),
            source: Source { path: path.clone(), text: text.clone() },
        });
        let (every, others): (Vec<_>, Vec<_>) = all.partition(|one| RUN_FILES.contains(&one.name.as_str()));
        let [job, scorecard, policy] = <[OtherSource; 3]>::try_from(every)
            .map_err(|_| input("the plan has not three job files: make it again".to_string()))?
            .map(|one| one.source);
        Ok(JobSources { job, scorecard, policy, others })
    }

    /// What had been delivered when the plan was made.
    pub fn deliveries(&self, inputs: &Inputs) -> Deliveries {
        let catalog = |spec: &InputSpec| {
            let frozen = self.inputs.iter().filter(|input| input.name == spec.name);
            let deliveries = frozen.flat_map(|input| &input.deliveries).map(FrozenDelivery::thaw);
            Catalog { spec: spec.clone(), deliveries: deliveries.collect() }
        };
        Deliveries {
            transactions: catalog(&inputs.transactions).into(),
            repayments: catalog(&inputs.repayments).into(),
            lines: catalog(&inputs.lines).into(),
            issued: inputs.issued.iter().map(catalog).collect(),
            previous: inputs.previous.as_ref().map(catalog),
        }
    }

    /// Checks that opened files are those that were frozen, and takes their hashes from the plan.
    pub fn check(&self, opened: &[(&InputSpec, &[OpenFile])]) -> Result<()> {
        for (spec, files) in opened {
            let known: BTreeMap<&Path, &FileVersion> = self
                .inputs
                .iter()
                .filter(|input| input.name == spec.name)
                .flat_map(|input| input.deliveries.iter().flat_map(|delivery| &delivery.files))
                .filter_map(|file| Some((&*file.path, file.version.as_ref()?)))
                .collect();
            for file in *files {
                match known.get(&*file.file.path) {
                    Some(version) if version.fits(file) => file.assume_sha256(&version.sha256),
                    _ => {
                        let message = "it is not the file that was planned with: deliver under a name that is new, \
                                       and plan again";
                        return Err(input(format!("{}: {message}", file.subject)));
                    }
                }
            }
        }
        Ok(())
    }
}

impl FrozenDelivery {
    fn thaw(&self) -> Delivery {
        let files = self.files.iter().map(|FrozenFile { name, path, object, .. }| InputFile {
            name: name.clone(),
            path: path.clone(),
            object: object.clone(),
        });
        Delivery { date: self.date, files: files.collect() }
    }
}

/// Freezes what has been delivered of all inputs; of the `opened` files, what they are.
pub fn freeze_inputs(
    deliveries: &Deliveries,
    opened: &[(&InputSpec, &[OpenFile])],
) -> Result<Vec<FrozenInput>> {
    let mut versions: BTreeMap<(&str, &Path), FileVersion> = BTreeMap::new();
    let mut objects: BTreeMap<(&str, &Path), &StoredObject> = BTreeMap::new();
    for (spec, files) in opened {
        for file in *files {
            let place = (spec.name, &*file.file.path);
            versions.insert(place, FileVersion::of(file)?);
            objects.extend(file.object().map(|object| (place, object)));
        }
    }
    let plain =
        [&deliveries.transactions, &deliveries.repayments, &deliveries.lines].map(|catalog| &**catalog);
    let all = plain.into_iter().chain(deliveries.of_runs());
    let frozen = all.map(|catalog| FrozenInput {
        name: catalog.spec.name.to_string(),
        deliveries: catalog
            .deliveries
            .iter()
            .map(|delivery| FrozenDelivery {
                date: delivery.date,
                files: delivery
                    .files
                    .iter()
                    .map(|file| FrozenFile {
                        name: file.name.clone(),
                        path: file.path.clone(),
                        version: versions.remove(&(catalog.spec.name, &*file.path)),
                        object: objects
                            .get(&(catalog.spec.name, &*file.path))
                            .copied()
                            .or(file.object.as_ref())
                            .cloned(),
                    })
                    .collect(),
            })
            .collect(),
    });
    Ok(frozen.collect())
}
