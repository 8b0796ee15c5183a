"""What the world's web server has: a repository for git, an index with one package for pip."""

import hashlib
import os
import subprocess
import zipfile

WHEEL = "corral_world-1.0-py3-none-any.whl"


def make(directory):
    os.makedirs(f"{directory}/simple/corral-world")
    repository(directory)
    package(f"{directory}/simple/corral-world")
    with open(f"{directory}/hello", "w", encoding="ascii") as file:
        file.write("hello from the world\n")


def repository(directory):
    """For the protocol that needs a file server only (gitprotocol-http(5), "dumb")."""
    place = f"{directory}/work"
    author = {"GIT_AUTHOR_NAME": "w", "GIT_AUTHOR_EMAIL": "w@world.test", "GIT_COMMITTER_NAME": "w",
              "GIT_COMMITTER_EMAIL": "w@world.test", "HOME": directory, "PATH": "/usr/bin:/bin"}

    def git(*words):
        subprocess.run(["git", "-c", "init.defaultBranch=main", *words], check=True, env=author,
                       capture_output=True)

    git("init", place)
    with open(f"{place}/README", "w", encoding="ascii") as file:
        file.write("cloned through the gateway\n")
    git("-C", place, "add", "README")
    git("-C", place, "commit", "-m", "Begin")
    git("clone", "--bare", place, f"{directory}/project.git")
    git("-C", f"{directory}/project.git", "update-server-info")


def package(directory):
    path = f"{directory}/{WHEEL}"
    info = "corral_world-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("corral_world.py", "WORLD = True\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: corral-world\n"
                                           "Version: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: world\n"
                                        "Root-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"corral_world.py,,\n{info}/METADATA,,\n"
                                         f"{info}/WHEEL,,\n{info}/RECORD,,\n")
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(f"{directory}/index.html", "w", encoding="ascii") as file:
        file.write(f'<!DOCTYPE html><a href="{WHEEL}#sha256={digest}">{WHEEL}</a>\n')
    os.chmod(path, 0o644)
