//! The templates of `jobs/`: each linted by its own tool where that is to be had, else parsed; and what they call is there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::NEVER;
use crate::support::book::Book;
use crate::support::{project, rescore_in};

fn template(name: &str) -> String {
    let path = project().join("jobs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a tool; `None` where this machine has none of that name.
fn tool(name: &str, args: &[&str], directory: &str) -> Option<Output> {
    Command::new(name).args(args).current_dir(project().join("jobs").join(directory)).output().ok()
}

fn must_pass(output: &Output) {
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

/// Python with the packages that tests have.
fn python(program: &str, args: &[&str]) -> String {
    let mut command = Command::new(project().join("target/python-tests/bin/python"));
    let output =
        command.args(["-c", program]).args(args).output().expect("target/python-tests is made by tests/run");
    must_pass(&output);
    String::from_utf8(output.stdout).unwrap()
}

/// The documents of a YAML file.
fn yaml(name: &str) -> Vec<Value> {
    let program = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let path = project().join("jobs").join(name).display().to_string();
    serde_json::from_str(&python(program, &[&path])).unwrap()
}

/// Whether the program takes these arguments, which a template gives it: it prints their help.
fn is_taken(args: &[&str]) {
    let output = rescore_in(&project(), &[args, &["--help"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn crontab_lines_have_five_fields_and_a_command_that_is_taken() {
    let text = template("cron/crontab");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let (variables, jobs): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.contains('='));
    assert!(variables.iter().any(|line| line.starts_with("MAILTO=")) && jobs.len() == 3, "{text}");
    for line in jobs {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_field = |word: &&str| word.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c));
        assert!(words[..5].iter().all(is_field), "{line}");
        // Cron makes an end of line of it.
        assert!(!line.contains('%'), "{line}");
        assert_eq!(words[5], "rescore");
        let args: Vec<&str> = words[6..].iter().copied().filter(|word| !word.starts_with('>')).collect();
        is_taken(&args);
    }
}

#[test]
fn the_service_is_hardened_and_systemd_takes_it() {
    let service = template("systemd/rescore-nightly.service");
    for line in [
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
        "Type=oneshot",
    ] {
        assert!(service.lines().any(|found| found == line), "{line}");
    }
    let writes = service.lines().find_map(|line| line.strip_prefix("ReadWritePaths=")).unwrap();
    assert!(writes.starts_with("/srv/rescore/out "), "{writes}");
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/rescore ")).unwrap();
    is_taken(&start.split(' ').collect::<Vec<_>>());

    let units = tempfile::tempdir().unwrap();
    let here = service.replace("/usr/bin/rescore", env!("CARGO_BIN_EXE_rescore"));
    fs::write(units.path().join("rescore-nightly.service"), here).unwrap();
    fs::write(units.path().join("rescore-nightly.timer"), template("systemd/rescore-nightly.timer")).unwrap();
    let unit = |name: &str| units.path().join(name).display().to_string();
    let (service, timer) = (unit("rescore-nightly.service"), unit("rescore-nightly.timer"));
    if let Some(output) = tool("systemd-analyze", &["verify", "--man=no", &service, &timer], ".") {
        must_pass(&output);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let exposed = ["security", "--offline=true", "--threshold=20", &service];
        must_pass(&tool("systemd-analyze", &exposed, ".").unwrap());
    }
}

#[test]
fn the_cron_job_of_kubernetes_is_alone_bounded_and_without_rights() {
    let documents = yaml("kubernetes/cronjob.yaml");
    let [job] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!((&job["apiVersion"], &job["kind"]), (&"batch/v1".into(), &"CronJob".into()));
    let spec = &job["spec"];
    assert_eq!((&spec["concurrencyPolicy"], &spec["timeZone"]), (&"Forbid".into(), &"Asia/Shanghai".into()));
    assert_eq!(spec["schedule"].as_str().unwrap().split(' ').count(), 5);
    let of_job = &spec["jobTemplate"]["spec"];
    assert_eq!(of_job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"], serde_json::json!([2, 4, 6]));
    let pod = &of_job["template"]["spec"];
    assert_eq!(
        (&pod["securityContext"]["runAsNonRoot"], &pod["restartPolicy"]),
        (&true.into(), &"Never".into())
    );
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    assert_eq!(
        (&context["readOnlyRootFilesystem"], &context["allowPrivilegeEscalation"]),
        (&true.into(), &false.into())
    );
    assert_eq!(of_job["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"], container["name"]);
    let args: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    is_taken(&args);
    let names = |list: &Value| -> Vec<String> {
        let mut names: Vec<String> =
            list.as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap().to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&container["volumeMounts"]), names(&pod["volumes"]));
}

/// Airflow's names as far as the template uses them; a task that is run prints what becomes of each exit code.
const AIRFLOW: &str = r#"
import json, sys, types

def module(name, **names):
    made = types.ModuleType(name)
    vars(made).update(names)
    sys.modules[name] = made

class DAG:
    made = []
    def __init__(self, **kwargs): self.kwargs = kwargs; DAG.made.append(self)
    def __enter__(self): return self
    def __exit__(self, *_): return False

class PythonOperator:
    made = []
    def __init__(self, **kwargs): self.kwargs = kwargs; PythonOperator.made.append(self)

class AirflowException(Exception): pass
class AirflowFailException(AirflowException): pass

module("airflow", DAG=DAG)
module("airflow.exceptions", AirflowException=AirflowException, AirflowFailException=AirflowFailException)
module("airflow.operators", )
module("airflow.operators.python", PythonOperator=PythonOperator)
names = {}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), names)
ends, commands = {}, []
for code in [0, 2, 3, 4, 5, 6, 7, 70, 143]:
    def run(command, check):
        commands.append(command)
        return types.SimpleNamespace(returncode=code)
    names["subprocess"] = types.SimpleNamespace(run=run)
    try:
        PythonOperator.made[0].kwargs["python_callable"]("2026-11-20")
        ends[code] = "done"
    except AirflowFailException:
        ends[code] = "fail"
    except AirflowException:
        ends[code] = "again"
dag = DAG.made[0].kwargs
print(json.dumps({"ends": ends, "command": commands[0], "catchup": dag["catchup"],
    "active": dag["max_active_runs"], "in_order": dag["default_args"]["depends_on_past"]}))
"#;

#[test]
fn the_dag_of_airflow_runs_nights_in_order_and_tries_again_only_what_may_pass() {
    let path = project().join("jobs/airflow/nightly.py").display().to_string();
    let said: Value = serde_json::from_str(&python(AIRFLOW, &[&path])).unwrap();
    let ends = serde_json::json!({
        "0": "done", "2": "fail", "3": "again", "4": "fail", "5": "again", "6": "fail", "7": "again", "70": "again", "143": "again",
    });
    assert_eq!(said["ends"], ends);
    assert_eq!(
        (&said["catchup"], &said["active"], &said["in_order"]),
        (&true.into(), &1.into(), &true.into())
    );
    let command: Vec<&str> =
        said["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(command[0], "rescore");
    is_taken(&command[1..]);
}

#[test]
fn the_image_runs_as_nobody_and_knows_its_time_zones_itself() {
    let text = template("docker/Dockerfile").replace("\\\n", " ");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let known = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"];
    for line in &lines {
        assert!(known.contains(&line.split(' ').next().unwrap()), "{line}");
    }
    let last = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let user = lines.iter().rposition(|line| line.starts_with("USER ")).unwrap();
    assert!(user > last && lines[user] == "USER 65532:65532", "{}", lines[user]);
    assert!(!text.contains("tzdata"));
    // Whatever is copied from the project is there.
    for line in lines.iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let words: Vec<&str> = line.split(' ').collect();
        for source in &words[1..words.len() - 1] {
            assert!(project().join(source).exists(), "{line}");
        }
    }
}

/// The names of metrics in an expression or an annotation.
fn metrics_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("rescore_")).map(str::to_string).collect()
}

#[test]
fn the_rules_of_prometheus_hold_and_ask_for_metrics_that_are_written() {
    let rules = yaml("prometheus/rules.yml");
    let rules = rules[0]["groups"][0]["rules"].as_array().unwrap();
    let alerts: Vec<&str> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    for alert in ["RescoreStale", "RescoreHeld", "RescoreRejects", "RescoreSlow"] {
        assert!(alerts.contains(&alert), "{alert}");
    }
    let book = Book::new();
    book.append("job.toml", &format!("\n[metrics]\nfile = \"x.prom\"\n{NEVER}"));
    assert_eq!(book.run().0, 4);
    let held = fs::read_to_string(book.path().join("x.prom")).unwrap();
    let tests = yaml("prometheus/rules_test.yml");
    let tested = tests[0]["tests"].to_string();
    for rule in rules {
        assert!(rule["annotations"]["summary"].is_string(), "{rule}");
        assert!(tested.contains(rule["alert"].as_str().unwrap()), "{rule}");
        for metric in metrics_in(rule["expr"].as_str().unwrap()) {
            let is_kept = metric.starts_with("rescore_last_success");
            assert!(is_kept || held.contains(&format!("# TYPE {metric} gauge\n")), "{metric}");
        }
    }
    assert_eq!(yaml("prometheus/scrape.yml")[0]["scrape_configs"][0]["honor_labels"], true);
    let operations = fs::read_to_string(project().join("docs/operations.md")).unwrap();
    for line in held.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(operations.contains(name), "{name} is not in docs/operations.md");
    }
    let promtool = std::env::var("PROMTOOL").unwrap_or("promtool".to_string());
    for args in [
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
        ["check", "config", "scrape.yml"],
    ] {
        if let Some(output) = tool(&promtool, &args, "prometheus") {
            must_pass(&output);
        }
    }
}

#[test]
fn the_package_has_files_that_are_there_or_made_and_a_page_a_command() {
    let text = fs::read_to_string(project().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    assert!(deb["maintainer"].as_str().unwrap().contains('@') && deb["extended-description"].is_str());
    let assets = deb["assets"].as_array().unwrap();
    let made = tempfile::tempdir().unwrap();
    let pages = made.path().join("man");
    fs::create_dir(&pages).unwrap();
    let output = rescore_in(made.path(), &["man", "--out", "man"]);
    must_pass(&output);
    for asset in assets {
        let [from, to, mode] = [0, 1, 2].map(|place| asset[place].as_str().unwrap());
        assert!(to.starts_with("usr/") && ["644", "755"].contains(&mode), "{asset}");
        let found: Vec<PathBuf> = match from.strip_prefix("target/") {
            Some("man/*.1") => {
                glob::glob(&pages.join("*.1").display().to_string()).unwrap().flatten().collect()
            }
            Some("release/rescore" | "completions/rescore") => continue,
            _ => glob::glob(&project().join(from).display().to_string()).unwrap().flatten().collect(),
        };
        assert!(!found.is_empty(), "{asset}");
    }
    let help = rescore_in(made.path(), &["--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let verbs = list.split("\n\n").next().unwrap().lines().filter_map(|line| line.split_whitespace().next());
    for verb in verbs.filter(|verb| *verb != "help") {
        let page = fs::read_to_string(pages.join(format!("rescore-{verb}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(&format!("rescore\\-{verb}")), "{verb}: {page}");
    }
    assert!(pages.join("rescore.1").exists() && pages.join("rescore-step-plan.1").exists());
    assert_eq!(rescore_in(made.path(), &["man", "--out", "nowhere"]).status.code(), Some(2));
}
