"""C text that every entry starts with: Python's functions and objects, arrays."""

from __future__ import annotations

from polysched.kernel.entry_team import TEXT as TEAM_TEXT

API = {
    "save_thread": ("void *", "void", "PyEval_SaveThread"),
    "restore_thread": ("void", "void *", "PyEval_RestoreThread"),
    "to_integer": ("long long", "void *, int *", "PyLong_AsLongLongAndOverflow"),
    "to_real": ("double", "void *", "PyFloat_AsDouble"),
    "call": ("void *", "void *, void *", "PyObject_CallObject"),
    "new_tuple": ("void *", "long", "PyTuple_New"),
    "set_item": ("int", "void *, long, void *", "PyTuple_SetItem"),
    "from_integer": ("void *", "long long", "PyLong_FromLongLong"),
    "from_real": ("void *", "double", "PyFloat_FromDouble"),
    "from_bool": ("void *", "long", "PyBool_FromLong"),
    "take": ("void", "void *", "Py_IncRef"),
    "drop": ("void", "void *", "Py_DecRef"),
    "no_memory": ("void *", "void", "PyErr_NoMemory"),
}
"""C name to (result, parameters, name in CPython), in the order of the table."""

OBJECTS = (
    "missed", "none", "true", "false", "float_type", "int_type", "array_type",
    "empty", "float64_type", "float32_type", "int64_type", "int32_type", "bool_type",
    "float64_dtype", "float32_dtype", "int64_dtype", "int32_dtype", "bool_dtype",
    "int16_type", "uint16_type", "int8_type", "uint8_type",
    "int16_dtype", "uint16_dtype", "int8_dtype", "uint8_dtype",
    "uint32_type", "uint32_dtype",
)  # fmt: skip
"""Python objects that every entry refers to, in the order of their table."""

_PROLOGUE = """\
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern int omp_get_max_threads(void);
extern int omp_get_num_threads(void);
extern int omp_get_thread_num(void);
extern void omp_set_num_threads(int);

#define EXPORTED __attribute__((visibility("default")))
#define PAGE_BYTES (1L << 21)  /* of a huge page */
#define LARGE_BYTES (1L << 22) /* of memory that is worth some */

struct ps_array {
  char *data;
  int n_dim;
  long *sizes, *strides;
  void *base, *dtype;
  int flags;
};

EXPORTED long ps_head;    /* bytes in front of an object's own fields */
EXPORTED int ps_threads;  /* of a call; 0 for OpenMP's choice */
EXPORTED int ps_has_run;  /* whether threads may have been started */
"""

_HELPERS = """\
static void *ps_type_of(void *object)
{
  return *(void **)((char *)object + ps_head - sizeof(void *));
}

static struct ps_array *ps_read_array(void *object, void *dtype, int n_dim, int flags)
{
  struct ps_array *a = (struct ps_array *)((char *)object + ps_head);
  if (ps_type_of(object) != ps_array_type || a->dtype != dtype || a->n_dim != n_dim)
    return 0;
  return (a->flags & flags) == flags ? a : 0;
}

static int ps_read_real(void *object, double *value)
{
  if (ps_type_of(object) != ps_float_type)
    return 0;
  *value = ps_py.to_real(object);
  return 1;
}

static int ps_read_integer(void *object, long least, long most, long *value)
{
  int overflow = 0;
  if (ps_type_of(object) != ps_int_type)
    return 0;
  *value = ps_py.to_integer(object, &overflow);
  return !overflow && *value >= least && *value <= most;
}

static void *ps_give(void *object)
{
  ps_py.take(object);
  return object;
}

static int ps_overlap(const char *a, long n_a, const char *b, long n_b)
{
  return n_a > 0 && n_b > 0 && a < b + n_b && b < a + n_a;
}

static void *ps_new_array(const long *sizes, long n_dim, void *dtype)
{
  void *shape = ps_py.new_tuple(n_dim), *given = ps_py.new_tuple(2), *made = 0;
  if (shape && given) {
    int failed = 0;
    for (long k = 0; k < n_dim; k++) {
      void *size = ps_py.from_integer(sizes[k]);
      failed |= !size || ps_py.set_item(shape, k, size);
    }
    ps_py.set_item(given, 0, shape);
    ps_py.set_item(given, 1, ps_give(dtype));
    shape = 0;
    if (!failed)
      made = ps_py.call(ps_empty, given);
  }
  if (shape)
    ps_py.drop(shape);
  if (given)
    ps_py.drop(given);
  return made;
}

static void *ps_new_scalar(void *type, void *value)
{
  void *given = value ? ps_py.new_tuple(1) : 0, *made = 0;
  if (given) {
    ps_py.set_item(given, 0, value);
    made = ps_py.call(type, given);
    ps_py.drop(given);
  }
  return made;
}

static void *ps_fill_tuple(void *tuple, long position, void *item)
{
  if (tuple && item) {
    ps_py.set_item(tuple, position, item);
    return tuple;
  }
  if (item)
    ps_py.drop(item);
  if (tuple)
    ps_py.drop(tuple);
  return 0;
}

/* What is read of an array, to be compared with what Python says of it. */
EXPORTED void ps_describe(void *object, void **out)
{
  struct ps_array *a = (struct ps_array *)((char *)object + ps_head);
  out[0] = ps_type_of(object);
  out[1] = a->data;
  out[2] = (void *)(long)a->n_dim;
  out[3] = a->sizes;
  out[4] = a->dtype;
  out[5] = (void *)(long)a->flags;
}

static char *ps_spare; /* room for temporaries, kept from call to call */

static char *ps_borrow(long n_bytes) /* the first 8 of them say how many */
{
  char *room = __atomic_exchange_n(&ps_spare, (char *)0, __ATOMIC_ACQ_REL);
  if (room && *(long *)room >= n_bytes)
    return room;
  free(room);
  void *made = 0;
  const int is_large = n_bytes >= LARGE_BYTES;
  if (posix_memalign(&made, is_large ? PAGE_BYTES : 64, n_bytes))
    return 0;
  if (is_large) /* as NumPy does; it is as well when the system refuses */
    madvise(made, n_bytes, MADV_HUGEPAGE);
  *(long *)made = n_bytes;
  return made;
}

static void ps_return(char *room)
{
  free(__atomic_exchange_n(&ps_spare, room, __ATOMIC_ACQ_REL));
}

EXPORTED void ps_release(void)
{
  ps_return(0);
}

/* The least and the greatest of some integers; of none, what no limit refuses. */
#define DEFINE_FIND_ENDS(name, type) \\
  static void name(const void *given, long n, long *least, long *most) \\
  { \\
    const type *data = given; \\
    type low = n ? data[0] : 0, high = low; \\
    for (long k = 0; k < n; k++) { \\
      low = data[k] < low ? data[k] : low; \\
      high = data[k] > high ? data[k] : high; \\
    } \\
    *least = n ? low : LONG_MAX; \\
    *most = n ? high : LONG_MIN; \\
  }
DEFINE_FIND_ENDS(ps_find_ends_int64, long)
DEFINE_FIND_ENDS(ps_find_ends_int32, int)
DEFINE_FIND_ENDS(ps_find_ends_uint32, unsigned int)
DEFINE_FIND_ENDS(ps_find_ends_int16, short)
DEFINE_FIND_ENDS(ps_find_ends_uint16, unsigned short)
DEFINE_FIND_ENDS(ps_find_ends_int8, signed char)
DEFINE_FIND_ENDS(ps_find_ends_uint8, unsigned char)

#define ps_floord(n, d) (((n) < 0) ? -((-(n) + (d) - 1) / (d)) : (n) / (d))
#define ps_min(a, b) ((a) < (b) ? (a) : (b))
#define ps_max(a, b) ((a) > (b) ? (a) : (b))
"""


def print_table(n_constants: int) -> str:
    """The start of an entry's file, with room for so many constants.

    Python's functions come as pointers, so that the library needs no symbol of the
    interpreter, which may be linked in any way.
    """
    rows = [f"  {result} (*{n})({given});" for n, (result, given, _) in API.items()]
    names = [f"ps_{name}" for name in OBJECTS]
    lines = [
        _PROLOGUE,
        "static struct {",
        *rows,
        "} ps_py;",
        "",
        *(f"static void *{name};" for name in names),
        f"static void *ps_constants[{n_constants + 1}];",
        "",
        "EXPORTED void ps_setup(void **api, void **objects, void **constants)",
        "{",
        "  void **table = (void **)&ps_py;",
        f"  for (int k = 0; k < {len(API)}; k++)",
        "    table[k] = api[k];",
        *(f"  {name} = objects[{k}];" for k, name in enumerate(names)),
        f"  for (int k = 0; k < {n_constants}; k++)",
        "    ps_constants[k] = constants[k];",
        "}",
        "",
        _HELPERS,
        TEAM_TEXT,
    ]
    return "\n".join(lines)
