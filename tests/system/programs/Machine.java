import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a JVM does with signals, threads and processes: implicit null checks (SIGSEGV), safepoints, garbage collection,
 * ProcessBuilder, and the thread dump that SIGQUIT asks for.
 *
 * <p>usage: java Machine FILE, where FILE is what standard output goes to; ends with exit code 9.
 */
public class Machine {
  private static final class Node {
    int value;
  }

  /** Once compiled there is no test for null, but a SIGSEGV to catch. */
  private static int read(Node node) {
    return node.value;
  }

  private static int nulls() {
    Node node = new Node();
    int caught = 0;
    for (int i = 0; i < 200_000; i++) {
      try {
        read(i > 100_000 && i % 1000 == 0 ? null : node);
      } catch (NullPointerException expected) {
        caught++;
      }
    }
    return caught;
  }

  private static int starts(int count) throws Exception {
    int failed = 0;
    for (int i = 0; i < count; i++) {
      ProcessBuilder builder =
          i % 10 == 0
              ? new ProcessBuilder("/bin/sh", "-c", "exit 3")
              : new ProcessBuilder("/bin/true", Integer.toString(i));
      failed += builder.start().waitFor() == 3 ? 1 : 0;
    }
    return failed;
  }

  private static long garbage() throws Exception {
    AtomicLong sum = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Thread thread =
          new Thread(
              () -> {
                List<byte[]> kept = new ArrayList<>();
                for (int n = 0; n < 2000; n++) {
                  kept.add(new byte[10_000]);
                  if (kept.size() > 100) {
                    kept.clear();
                  }
                  sum.addAndGet(kept.size());
                }
              });
      thread.start();
      threads.add(thread);
    }
    System.gc();
    for (Thread thread : threads) {
      thread.join();
    }
    return sum.get();
  }

  private static boolean dump(Path out) throws Exception {
    new ProcessBuilder("/bin/kill", "-QUIT", Long.toString(ProcessHandle.current().pid()))
        .start()
        .waitFor();
    for (long deadline = System.nanoTime() + 20_000_000_000L; System.nanoTime() < deadline; ) {
      String text = new String(Files.readAllBytes(out));
      if (text.contains("Full thread dump") && text.contains("JNI global ref")) {
        return true;
      }
      Thread.sleep(5);
    }
    return false;
  }

  public static void main(String[] args) throws Exception {
    System.out.println("result nulls " + nulls());
    System.out.println("result starts " + starts(40));
    System.out.println("result garbage " + garbage());
    System.out.println("result dump " + dump(new File(args[0]).toPath()));
    System.exit(9);
  }
}
