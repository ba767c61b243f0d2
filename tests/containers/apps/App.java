import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeMap;

/** The application of the image with a JRE; what it says is to be the same with the sensor and without. */
public class App {
  public static void main(String[] arguments) throws Exception {
    System.out.println("argv " + Arrays.toString(arguments));
    System.out.println("pid " + ProcessHandle.current().pid());
    System.out.println("cwd " + System.getProperty("user.dir") + " user " + System.getProperty("user.name"));
    new TreeMap<>(System.getenv()).forEach((name, value) -> System.out.println("env " + name + " " + value));
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.matches("(Uid|Gid|Cap|NoNew|Seccomp:|SigIgn|SigCgt).*")) {
        System.out.println(line);
      }
    }
    for (String mark : new String[] {"marked0", "marked1", "marked2"}) {
      Process child = new ProcessBuilder("/bin/sh", "-c", "echo child $0 >&2; exit 3", mark).inheritIO().start();
      System.out.println("child " + mark + " " + child.waitFor());
    }
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  System.out.println("ends");
                  System.out.flush();
                  Runtime.getRuntime().halt(42);
                }));
    System.out.println("ready");
    System.out.flush();
    Thread.sleep(Long.MAX_VALUE);
  }
}
