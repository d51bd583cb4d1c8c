// Holds a lock by go-zookeeper, while another of its clients waits. Prints the two sessions, and stays until its input ends. The
// arguments are host:port and the path of the lock.
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

func connect() *zk.Conn {
	conn, _, err := zk.Connect([]string{os.Args[1]}, 10*time.Second, zk.WithLogInfo(false))
	if err != nil {
		panic(err)
	}
	return conn
}

func main() {
	path := os.Args[2]
	holder, waiter := connect(), connect()
	if err := zk.NewLock(holder, path, zk.WorldACL(zk.PermAll)).Lock(); err != nil {
		panic(err)
	}
	go zk.NewLock(waiter, path, zk.WorldACL(zk.PermAll)).Lock()
	for {
		children, _, err := holder.Children(path)
		if err != nil {
			panic(err)
		}
		if len(children) == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("%x %x\n", uint64(holder.SessionID()), uint64(waiter.SessionID()))
	io.Copy(io.Discard, os.Stdin)
}
