"""Where the files of this workflow lie: in the folder that it runs in, or elsewhere.

Results go to the folder that Snakemake runs in. `snakemake --snakefile` and a `module` of another Snakefile take
the workflow from a folder of its own. A module can also come from a git host, of which Snakemake fetches rules
one by one; scripts and ntklens need a folder, so its commit is checked out.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys

import psutil
from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import HostingProviderFile, LocalSourceFile

MODULE = not workflow.modifier.is_main_snakefile()  # of another workflow
CHECKOUT = os.path.join(
    ".snakemake", "ntk-lens"
)  # the same for every version, so that a new one reruns what it changes

modified_paths = workflow.modifier.path_modifier
if modified_paths.prefix or modified_paths.modifies_prefixes:
    raise WorkflowError(
        "ntk-lens as a module takes no prefix and no replace_prefix: the config's key 'name' says where in "
        "results/ its files go"
    )


def workflow_folder(source):
    """The path of the folder workflow/, from the location ``source`` of the rules in it."""
    if isinstance(source, LocalSourceFile):
        return os.path.dirname(os.path.realpath(source.path))
    if isinstance(source, HostingProviderFile):
        return os.path.join(checked_out(source), os.path.dirname(source.path))
    raise WorkflowError(
        f"ntk-lens as a module comes from a folder or by github() or gitlab(), not from {source}"
    )


def checked_out(source):
    """The path of a clone with the files of the git commit that ``source`` belongs to."""
    repository = source.hosted_repo
    commit = repository.repo.commit(source.ref).hexsha
    folder = os.path.realpath(CHECKOUT)
    # Jobs in processes of their own find the clone of the workflow that started them.
    if workflow.is_main_process and not holds(folder, commit):
        check_out(str(repository.repo_clone), commit, folder)
    return folder


def check_out(clone, commit, folder):
    """Make ``folder`` a clone of ``clone`` with ``commit`` checked out. A call that is killed leaves no half of it."""
    at_work = [f"{folder}.partial-{process}" for process in psutil.pids()]
    for left in glob.glob(glob.escape(folder) + ".partial-*"):
        if left not in at_work:
            shutil.rmtree(left, ignore_errors=True)
    partial = f"{folder}.partial-{os.getpid()}"
    try:
        git("clone", "--no-checkout", clone, partial)
        git("-C", partial, "checkout", "--detach", commit)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(partial, folder)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise WorkflowError(
            f"git cannot check out commit {commit} of ntk-lens in {folder}: {reason}"
        ) from None
    except OSError as error:
        raise WorkflowError(f"ntk-lens cannot be checked out in {folder}: {error}") from None


def git(*arguments):
    """What git prints."""
    command = ["git", *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", errors="replace").stdout


def holds(folder, commit):
    """Whether ``folder`` is a clone with this ``commit`` checked out, and its files are those of the commit."""
    own = ("--no-optional-locks", f"--git-dir={folder}/.git", f"--work-tree={folder}")
    try:
        head = git(*own, "rev-parse", "HEAD").strip()
        return head == commit and not git(*own, "status", "--porcelain", "--untracked-files=no")
    except subprocess.CalledProcessError:
        return False


WORKFLOW = workflow_folder(workflow.current_basedir)
REPOSITORY = os.path.dirname(WORKFLOW)

# PYTHONPATH would name two folders, so that scripts could find other code; Snakemake formats the path.
if unfit := [sign for sign in (os.pathsep, "{", "}") if sign in REPOSITORY]:
    raise WorkflowError(f"the path of this folder, {REPOSITORY}, holds {' '.join(unfit)}: move it elsewhere")

# Those that ntklens imports while Snakemake reads the rules. Where only Snakemake is installed, the rules' own conda
# environments do not help.
PACKAGES = ("h5py", "jaxtyping", "numpy", "pydantic", "yaml")
if missing := [package for package in PACKAGES if importlib.util.find_spec(package) is None]:
    raise WorkflowError(
        f"the Python that runs Snakemake lacks {', '.join(missing)}: install what is missing beside Snakemake, or "
        "call `make setup` in a clone of ntk-lens and use the Snakemake in its .venv"
    )

sys.path.insert(0, WORKFLOW)
import ntklens

if not os.path.samefile(os.path.dirname(ntklens.__file__), os.path.join(WORKFLOW, "ntklens")):
    raise WorkflowError(
        f"the workflow in {REPOSITORY} needs its own ntklens, but this Snakemake has loaded {ntklens.__file__}"
    )


def in_rules(path):
    """``path``, of a file of the workflow, as rules name it: relative to the working folder if it lies there.

    Snakemake reruns a job whose inputs are named otherwise, so a folder can be moved with its results.
    """
    inside = path.startswith(os.path.join(os.getcwd(), ""))
    return os.path.relpath(path) if inside else path
