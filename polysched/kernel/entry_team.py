"""C text that keeps OpenMP's other threads off the core that a call comes from.

Threads that have slept for a while may be woken on the core of the one that wakes them:
Linux takes a core of a virtual machine that has been idle for one that the host took
away. The caller does its share, waits at the barrier without giving its core up, and
the other threads start milliseconds later. So where some time has passed since the last
call, they are told to run anywhere else, and set free again when the call is done.

The state is one for all libraries of a process, and is touched with the interpreter's
lock held; of several threads that call kernels it serves one at a time. There is none
where ``OMP_PROC_BIND`` is set, as that places threads.
"""

from __future__ import annotations

TEAM_BYTES = 1 << 16
"""Room for ``struct ps_team``; the text checks that it is enough."""

TEXT = f"""\
#define MAX_TEAM 256
#define IDLE 1000000L         /* nanoseconds after which threads may sleep */
#define ABANDONED 1000000000L /* after which another thread may be served */

struct ps_team {{
  unsigned long owner; /* the thread that calls kernels */
  int asked, n;        /* threads wanted and there, the caller's included */
  int is_busy, is_placed;
  long ended; /* when the last call did */
  int threads[MAX_TEAM];
  cpu_set_t allowed[MAX_TEAM];
}};

_Static_assert(sizeof(struct ps_team) <= {TEAM_BYTES}, "room for a team");

EXPORTED struct ps_team *ps_team;

static long ps_now(void)
{{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}}

static void ps_meet(int n) /* ask the threads of a team who they are */
{{
  ps_team->owner = pthread_self();
  ps_team->asked = n;
  #pragma omp parallel num_threads(n)
  {{
    ps_team->threads[omp_get_thread_num()] = syscall(SYS_gettid);
    if (omp_get_thread_num() == 0)
      ps_team->n = omp_get_num_threads();
  }}
}}

static void ps_free_team(int n)
{{
  for (int k = 1; k < n; k++)
    sched_setaffinity(ps_team->threads[k], sizeof(cpu_set_t), &ps_team->allowed[k]);
}}

static int ps_move_team(void) /* off this core; whether that can be undone */
{{
  const int cpu = sched_getcpu();
  for (int k = 1; k < ps_team->n; k++) {{
    const int thread = ps_team->threads[k];
    cpu_set_t *allowed = &ps_team->allowed[k], others;
    /* OpenMP ends threads that a smaller team leaves over: ask again next time */
    const int is_gone = syscall(SYS_tgkill, getpid(), thread, 0) != 0;
    if (is_gone || sched_getaffinity(thread, sizeof others, allowed)) {{
      ps_free_team(k);
      ps_team->asked = 0;
      return 0;
    }}
    others = *allowed;
    CPU_CLR(cpu, &others);
    sched_setaffinity(thread, sizeof others, &others); /* refused where none is left */
  }}
  return 1;
}}

/* Before a call with threads: whether ps_leave_team has to be called behind it. */
static int ps_place_team(void)
{{
  const int n = ps_threads ? ps_threads : omp_get_max_threads();
  if (!ps_team || ps_team->is_busy || n < 2 || n > MAX_TEAM)
    return 0;
  const long idle = ps_now() - ps_team->ended;
  const int is_owner = ps_team->owner == pthread_self();
  if (!is_owner && ps_team->owner && idle < ABANDONED)
    return 0;
  ps_team->is_busy = 1;
  if (!is_owner || ps_team->asked != n)
    ps_meet(n);
  else if (idle >= IDLE)
    ps_team->is_placed = ps_move_team();
  return 1;
}}

static void ps_leave_team(void)
{{
  if (ps_team->is_placed)
    ps_free_team(ps_team->n);
  ps_team->is_placed = ps_team->is_busy = 0;
  ps_team->ended = ps_now();
}}
"""
