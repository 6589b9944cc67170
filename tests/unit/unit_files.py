"""Unit files of a host that is played: the files in a folder, and what systemd says of them."""

from __future__ import annotations

from pathlib import Path

from tests.unit.steps_shell import parsed, run

OURS = """# Written by nexus-registry: a change made here is set back by its next run.
[Service]
User=nexus
Group=repo
ExecStart={root}/nexus/bin/nexus run
Environment="INSTALL4J_ADD_VM_PARAMS=-Xms1m -Dkaraf.data=/wrong -Dx"
Environment="_JAVA_OPTIONS=-Xms1m -Dkaraf.data={data} -Dkaraf.log={data}/log"
"""


class Host:
    """A folder of unit files, and what systemd says of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says: dict[tuple[str, str], str] = {}
        (folder / "etc").mkdir()
        (folder / "lib").mkdir()

    def unit(self, name: str, text: str, where: str = "etc", **says: str) -> None:
        (self.folder / where / f"{name}.service").write_text(text)
        self.says |= {(name, key): value for key, value in says.items()}

    def install(self, name: str, data: str = "../sonatype-work/nexus3") -> Path:
        launcher = self.folder / name / "bin/nexus"
        launcher.parent.mkdir(parents=True)
        launcher.write_text("#!/bin/sh\n")
        (launcher.parent / "nexus.vmoptions").write_text(f"-Xms1m\n-Dkaraf.data={data}\r\n")
        return launcher

    def run(self, shell: list[str], body: str, before: str = "") -> str:
        cases = " ".join(f"'{name} {key}') echo '{value}' ;;" for (name, key), value in self.says.items())
        systemd = f'unit_property() {{ case "${{2:-$unit}} $1" in {cases} esac; }}\n' if cases else ""
        folders = f"UNIT_FOLDERS='{self.folder}/etc {self.folder}/none {self.folder}/lib' unit=nexus\n"
        return run(shell, before + folders + systemd + body)


def start(*words: object) -> str:
    line = " ".join(map(str, words))
    return f"{{ path={words[0]} ; argv[]={line} ; ignore_errors=no ; pid=0 }}"


def step(shell: list[str], host: Host, body: str, verb: str = "update") -> str:
    """What the body prints on a host of the fixture ``host``, with the service step's functions."""
    base = host.folder
    before = parsed(f"--data-dir {base}/data", f"FACTS_ROOT={base}/facts FACTS={base}/facts/nexus verb={verb}")
    files = f'unit_file_of() {{ echo "{base}/etc/$1.service"; }}\nwork={base}/work owner=$(id -un):$(id -gn)\n'
    return host.run(shell, files + body, before)
