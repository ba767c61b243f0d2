/** An application that gives what it is told to a shell, as deserialisation that trusts its input ends. usage: java Hole COMMAND */
public class Hole {
  public static void main(String[] arguments) throws Exception {
    Process shell = Runtime.getRuntime().exec(new String[] {"/bin/sh", "-c", arguments[0]});
    System.out.write(shell.getInputStream().readAllBytes());
    System.exit(shell.waitFor());
  }
}
