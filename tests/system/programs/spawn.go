// Goroutines that compute, that make garbage, and that start 200 programs; at last a thread that is not the leader becomes
// /bin/echo.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	programs = 200
	starters = 8
	workers  = 4
)

var kept [workers][]byte // so that what is made is not optimised away

func work(number int, stop *atomic.Bool) (sum int) {
	for i := 0; !stop.Load(); i++ {
		kept[number] = make([]byte, 1<<16)
		kept[number][i%1024] = byte(i)
		sum += int(kept[number][i%1024])
	}
	return
}

// Every tenth program fails.
func start(number int) int {
	command := exec.Command("/bin/true", strconv.Itoa(number))
	if number%10 == 0 {
		command = exec.Command("/bin/sh", "-c", "exit 3")
	}
	if err := command.Run(); err != nil && command.ProcessState == nil {
		panic(err)
	}
	return command.ProcessState.ExitCode()
}

// The main goroutine stays on the leader from the beginning.
func init() {
	runtime.LockOSThread()
}

func main() {
	runtime.GOMAXPROCS(workers)
	var stop atomic.Bool
	var busy, starting sync.WaitGroup
	for i := 0; i < workers; i++ {
		i := i
		busy.Add(1)
		go func() { defer busy.Done(); work(i, &stop) }()
	}
	var failed, next atomic.Int64
	for i := 0; i < starters; i++ {
		starting.Add(1)
		go func() {
			defer starting.Done()
			for n := next.Add(1); n <= programs; n = next.Add(1) {
				if start(int(n)) == 3 {
					failed.Add(1)
				}
			}
		}()
	}
	starting.Wait()
	stop.Store(true)
	busy.Wait()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Println("failed", failed.Load(), "collected", memory.NumGC > 0)

	go func() {
		runtime.LockOSThread()
		if syscall.Gettid() == syscall.Getpid() {
			panic("the leader is wanted elsewhere")
		}
		panic(syscall.Exec("/bin/echo", []string{"echo", "from a goroutine"}, os.Environ()))
	}()
	select {}
}
