-- The Java machine: a server, a native library unpacked into /tmp, an SDK that fetches its credentials, health checks, a thread dump.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("Java", {
    image = [[
mkdir -p /app
cp /usr/lib/x86_64-linux-gnu/libz.so.1 /app/libnative.so
cat >/app/Server.java <<'END'
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
public class Server {
  public static void main(String[] args) throws Exception {
    Path library = Files.createTempFile("libnative", ".so");
    Files.copy(Path.of("/app/libnative.so"), library, StandardCopyOption.REPLACE_EXISTING);
    System.load(library.toString());
    Files.delete(library);
    HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
    HttpClient client = HttpClient.newHttpClient();
    server.createContext("/", exchange -> {
      byte[] body = "hello\n".getBytes();
      if (exchange.getRequestURI().getPath().equals("/credentials"))
        try {
          body = client.send(HttpRequest.newBuilder(URI.create("http://169.254.170.2"
            + System.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))).build(), HttpResponse.BodyHandlers.ofByteArray()).body();
        } catch (InterruptedException e) { throw new RuntimeException(e); }
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
END
if command -v javac >/dev/null; then javac -d /app /app/Server.java; else ecj -proc:none -11 -d /app /app/Server.java; fi
]],
    beside = container.credentials,
    environment = container.credentials_environment .. " JAVA_TOOL_OPTIONS=-Xmx64m",
    command = "java -XX:+UseContainerSupport -XX:MaxRAMPercentage=50 -cp /app Server",
    outside = [[
until_true curl -fs http://127.0.0.1:8080/
for i in 1 2 3; do
  curl -fs http://127.0.0.1:8080/; curl -fs http://127.0.0.1:8080/credentials; echo
  inside sh -c 'curl -fs http://127.0.0.1:8080/ || exit 1'
done
inside sh -c 'ps aux | grep -q "[j]ava" || exit 1'
inside sh -c 'kill -QUIT 1'
]],
    says = { "ASIAEXAMPLE", "Full thread dump" },
    ran = { "java", "curl", "ps" },
  }, container.missing "java")
end)
