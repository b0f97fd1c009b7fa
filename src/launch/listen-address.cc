// Preloaded into a worker: TensorFlow's server, which would listen on every interface of the machine, listens on one address only.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>

namespace {

in_addr address;
// In the network's byte order; 0 where nothing is to be changed.
in_port_t port = 0;

// HALFTONE_LISTEN is `a.b.c.d:port`. It is read before JavaScript can change the environment.
__attribute__((constructor)) void ReadAddress() {
  const char* given = std::getenv("HALFTONE_LISTEN");
  const char* colon = given ? std::strrchr(given, ':') : nullptr;
  char host[INET_ADDRSTRLEN] = {};
  if (!colon || static_cast<size_t>(colon - given) >= sizeof host) return;
  std::memcpy(host, given, static_cast<size_t>(colon - given));
  if (inet_pton(AF_INET, host, &address) == 1) port = htons(static_cast<in_port_t>(std::atoi(colon + 1)));
}

}  // namespace

extern "C" int bind(int socket, const sockaddr* given, socklen_t length) {
  using Bind = int (*)(int, const sockaddr*, socklen_t);
  static const auto original = reinterpret_cast<Bind>(dlsym(RTLD_NEXT, "bind"));
  if (port != 0 && given->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 changed;
    std::memcpy(&changed, given, sizeof changed);
    if (changed.sin6_port == port && IN6_IS_ADDR_UNSPECIFIED(&changed.sin6_addr)) {
      // ::ffff:a.b.c.d
      changed.sin6_addr.s6_addr[10] = changed.sin6_addr.s6_addr[11] = 0xff;
      std::memcpy(&changed.sin6_addr.s6_addr[12], &address, sizeof address);
      return original(socket, reinterpret_cast<const sockaddr*>(&changed), sizeof changed);
    }
  } else if (port != 0 && given->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in changed;
    std::memcpy(&changed, given, sizeof changed);
    if (changed.sin_port == port && changed.sin_addr.s_addr == INADDR_ANY) {
      changed.sin_addr = address;
      return original(socket, reinterpret_cast<const sockaddr*>(&changed), sizeof changed);
    }
  }
  return original(socket, given, length);
}
