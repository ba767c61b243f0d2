"""multiprocessing in its three ways to start a process, and subprocess with what may happen to a child."""

import multiprocessing
import os
import signal
import subprocess
import sys


def square(number):
    return number * number


def pools():
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(method, sum(pool.map(square, range(200), 5)))
            pool.close()
            pool.join()


def cat(**options):
    """One that runs: it has answered.  Popen returns in the middle of execve(2), and who is killed there has executed nothing."""
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    child.stdin.write(b"x")
    child.stdin.flush()
    child.stdout.read(1)
    return child


def children():
    codes = [subprocess.call(["/bin/sh", "-c", f"exit {i % 7}"]) for i in range(40)]
    print("codes", sum(codes))
    many = [subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(10)]
    print("echoes", sum(len(child.communicate(b"x" * 1000)[0]) for child in many))
    for number in signal.SIGTERM, signal.SIGKILL, signal.SIGABRT:
        with cat() as child:
            child.send_signal(number)
        print("ended by", -child.returncode)
    with cat(start_new_session=True) as child:
        os.killpg(child.pid, signal.SIGSTOP)
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        print("stopped", os.WIFSTOPPED(status))
        os.killpg(child.pid, signal.SIGCONT)
    with cat() as child:
        try:
            child.wait(timeout=0)
        except subprocess.TimeoutExpired:
            child.kill()
    print("took too long", -child.returncode)


if __name__ == "__main__":
    pools()
    children()
    sys.exit(11)
