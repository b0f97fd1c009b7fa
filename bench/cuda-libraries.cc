// Opens the libraries of CUDA as TensorFlow does: by its own functions, which cuda-libraries.ts names, and which return an absl::StatusOr<void*>.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>

struct StatusOr {
  // absl::OkStatus() is the number 1.
  intptr_t status;
  void* value;
  char rest[64];
};

int main(int, char** arguments) {
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
  if (!library) return puts(dlerror()), 1;
  for (char** symbol = arguments + 2; *symbol; symbol++) {
    const auto open = reinterpret_cast<StatusOr (*)()>(dlsym(library, *symbol));
    if (!open) return printf("%s is missing\n", *symbol), 1;
    const StatusOr opened = open();
    char folder[4096] = "";
    if (opened.status == 1) dlinfo(opened.value, RTLD_DI_ORIGIN, folder);
    puts(folder);
  }
}
