"""A GPU that is none: commands of NVIDIA's names in front of the CPU's stand-in.

``nvcc`` takes the options that polysched gives it and compiles for the processor;
``nvidia-smi`` answers as on a machine with an H200. Programs run at the processor's
speed and leave the seconds of kernels and copies that a test wants. `FAKE_GPU` in the
environment names what goes wrong.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from polysched.runtime import compile_shim
from polysched.runtime.shim import SHIM_DIRECTORY

NVCC = """\
#!/bin/sh
case $1 in
--version) echo "Cuda compilation tools, release 13.0, V13.0.88"; exit;;
--list-gpu-code) printf "sm_80\\nsm_90\\n"; exit;;
esac
for word; do
  case $word in
  -c) mode=compile;;
  *.cu) source=$word;;
  *.o) objects="$objects $word";;
  -gencode=arch=compute_90,code=*sm_90,compute_90*) is_for_it=yes;;
  esac
  [ "$last" = -o ] && output=$word
  last=$word
done
if [ "$mode" = compile ]; then
  [ "$is_for_it" ] || { echo "nvcc fatal : not for this GPU" >&2; exit 1; }
  if [ "$FAKE_GPU" = refuse ]; then
    echo "$source(7): error: identifier \\"x\\" is undefined" >&2; exit 2
  fi
  [ "$FAKE_GPU" = wrong ] && sed -i "s/ - 1\\]/]/" "$source"
  exec g++ -O1 -std=c++17 -w -ffp-contract=off -ISHIM -x c++ -c "$source" -o "$output"
fi
exec g++ $objects RUNTIME DRIVER -o "$output" -lm
"""

DRIVER = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(const char *said, int status)
{
  fprintf(stderr, "%s\\n", said);
  _exit(status);
}

__attribute__((constructor)) static void begin(void)
{
  const char *loading = getenv("CUDA_MODULE_LOADING"), *fault = getenv("FAKE_GPU");
  if (!loading || strcmp(loading, "EAGER"))
    end("loads kernels late", 9);
  if (!fault)
    return;
  if (!strcmp(fault, "hang"))
    sleep(60);
  if (!strcmp(fault, "crash"))
    end("k.cu:9: cudaMemcpy(): an illegal memory access was encountered", 1);
  if (!strcmp(fault, "full"))
    end("k.cu:9: cudaMalloc(): out of memory", 1);
}

/* behind all that the program does at its end */
__attribute__((destructor)) static void rewrite_times(void)
{
  FILE *file = fopen(getenv("POLYSCHED_DEVICE_TIMES"), "r+");
  if (!file)
    end("left no times", 8);
  fprintf(file, "SECONDS\\n%*s", 40, "");
  fclose(file);
}
"""

SMI = """\
#!/bin/sh
case $* in
*name,compute_cap,memory.total,clocks.max.sm*nounits*)
  echo "NAME, 9.0, 143771, 1980";;
*) exit 1;;
esac
"""


def install_fake_gpu(folder: Path, seconds: str, name: str = "NVIDIA H200") -> None:
    """Write the commands into a folder, which belongs in front of the PATH.

    Parameters
    ----------
    folder : Path
        A new one.
    seconds : str
        Of kernels and of copies, as every program leaves them.
    name : str
        Of the processor, as the driver tells it.
    """
    folder.mkdir()
    runtime = compile_shim(folder)
    driver = folder / "driver.o"
    words = {
        "SHIM": str(SHIM_DIRECTORY),
        "RUNTIME": str(runtime),
        "DRIVER": str(driver),
        "NAME": name,
    }
    source = driver.with_suffix(".c")
    source.write_text(DRIVER.replace("SECONDS", seconds))
    subprocess.run(["gcc", "-c", str(source), "-o", str(driver)], check=True)
    for command, text in {"nvcc": NVCC, "nvidia-smi": SMI}.items():
        for word, value in words.items():
            text = text.replace(word, value)
        path = folder / command
        path.write_text(text)
        path.chmod(0o755)
