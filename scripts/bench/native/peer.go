// The process of go-zookeeper: `peer <servers>`, with the jobs and answers of `child.ts`.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

const sessionTimeout = 600 * time.Second

var data = make([]byte, 100)

var acl = zk.WorldACL(zk.PermAll)

type step struct {
	Op, Path, Root        string
	Count, InFlight, Size int
}

type job struct {
	Job, Path                      string
	Step                           step
	Stride, Bursts, Count, Control int
}

type sample struct {
	Operations int     `json:"operations"`
	WallMicros float64 `json:"wallMicros"`
	CPUMicros  float64 `json:"cpuMicros"`
	P50        float64 `json:"p50"`
	P99        float64 `json:"p99"`
	RSS        int     `json:"rss"`
	Heap       int     `json:"heap"`
}

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}

func connect(servers string) (*zk.Conn, error) {
	conn, events, err := zk.Connect(strings.Split(servers, ","), sessionTimeout, zk.WithLogger(quiet{}))
	if err != nil {
		return nil, err
	}
	for event := range events {
		if event.State == zk.StateHasSession {
			return conn, nil
		}
	}
	return nil, errors.New("no session")
}

func tell(answer interface{}) {
	line, _ := json.Marshal(answer)
	os.Stdout.Write(append(line, '\n'))
}

func ready() { tell(map[string]string{"is": "ready"}) }

// Microseconds of all threads, user and system.
func cpu() float64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1000
}

func rss() int {
	var size, resident int
	text, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(text), &size, &resident)
	return resident * os.Getpagesize()
}

func percentile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(float64(len(sorted)-1)*share)]
}

// Runs work, which gives latencies in microseconds.
func measured(operations int, work func() ([]float64, error)) (*sample, error) {
	used, begun := cpu(), time.Now()
	latencies, err := work()
	wall, used := float64(time.Since(begun).Nanoseconds())/1000, cpu()-used
	sort.Float64s(latencies)
	return &sample{operations, wall, used, percentile(latencies, 0.5), percentile(latencies, 0.99), rss(), 0}, err
}

type runner struct {
	servers string
	conn    *zk.Conn
	watches []<-chan zk.Event
	lock    sync.Mutex
}

// The requests of a step, and how many they are.
func (r *runner) asking(s step) (int, func(index int) error) {
	paths := make([]string, s.Count)
	for index := range paths {
		paths[index] = fmt.Sprintf("%s/%d", s.Root, index)
	}
	switch s.Op {
	case "get":
		return s.Count, func(int) error { _, _, err := r.conn.Get(s.Path); return err }
	case "children":
		return s.Count, func(int) error { _, _, err := r.conn.Children(s.Path); return err }
	case "create":
		return s.Count, func(index int) error { _, err := r.conn.Create(paths[index], data, 0, acl); return err }
	case "set":
		return s.Count, func(index int) error { _, err := r.conn.Set(paths[index], data, -1); return err }
	case "delete":
		return s.Count, func(index int) error { return r.conn.Delete(paths[index], -1) }
	case "watch":
		return s.Count, func(index int) error {
			_, _, fired, err := r.conn.GetW(paths[index])
			r.lock.Lock()
			r.watches = append(r.watches, fired)
			r.lock.Unlock()
			return err
		}
	}
	return (s.Count + s.Size - 1) / s.Size, func(index int) error {
		ops := make([]interface{}, 0, s.Size)
		for at := index * s.Size; at < (index+1)*s.Size && at < s.Count; at++ {
			ops = append(ops, &zk.CreateRequest{Path: paths[at], Data: data, Acl: acl, Flags: 0})
		}
		_, err := r.conn.Multi(ops...)
		return err
	}
}

func drive(total, inFlight, stride int, ask func(index int) error) ([]float64, error) {
	var next int64 = -1
	var done sync.WaitGroup
	var lock sync.Mutex
	var latencies []float64
	var failed error
	for worker := 0; worker < inFlight && worker < total; worker++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for {
				index := int(atomic.AddInt64(&next, 1))
				if index >= total {
					return
				}
				taken := stride > 0 && index%stride == 0
				var begun time.Time
				if taken {
					begun = time.Now()
				}
				err := ask(index)
				if taken || err != nil {
					lock.Lock()
					if err != nil {
						failed = err
					}
					if taken {
						latencies = append(latencies, float64(time.Since(begun).Nanoseconds())/1000)
					}
					lock.Unlock()
				}
			}
		}()
	}
	done.Wait()
	return latencies, failed
}

func (r *runner) run(j job) (*sample, error) {
	switch j.Job {
	case "step":
		total, ask := r.asking(j.Step)
		bursts := j.Bursts
		if bursts < 1 {
			bursts = 1
		}
		return measured(j.Step.Count*bursts, func() (latencies []float64, err error) {
			for burst := 0; burst < bursts && err == nil; burst++ {
				latencies, err = drive(total, j.Step.InFlight, j.Stride, ask)
			}
			return
		})
	case "deliver":
		var fired sync.WaitGroup
		for _, watch := range r.watches {
			fired.Add(1)
			go func(watch <-chan zk.Event) { <-watch; fired.Done() }(watch)
		}
		r.watches = nil
		time.Sleep(50 * time.Millisecond)
		return measured(j.Count, func() ([]float64, error) { ready(); fired.Wait(); return nil, nil })
	case "sessions":
		return measured(j.Count, func() (latencies []float64, err error) {
			for index := 0; index < j.Count && err == nil; index++ {
				begun := time.Now()
				var conn *zk.Conn
				if conn, err = connect(r.servers); err != nil {
					return
				}
				_, _, err = conn.Get(j.Path)
				latencies = append(latencies, float64(time.Since(begun).Nanoseconds())/1000)
				conn.Close()
			}
			return
		})
	case "reconnect":
		control, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", j.Control))
		if err != nil {
			return nil, err
		}
		defer control.Close()
		// Connections that last less than a second, one after the other, are what clients back off from.
		time.Sleep(1200 * time.Millisecond)
		return measured(1, func() ([]float64, error) {
			control.Write([]byte("drop"))
			control.Read(make([]byte, 64))
			for {
				if _, _, err := r.conn.Get(j.Path); err == nil {
					return nil, nil
				}
			}
		})
	case "warm":
		// There is no compiler that had to do its work.
		return measured(1, func() ([]float64, error) { return nil, nil })
	}
	return nil, fmt.Errorf("%s is not for go-zookeeper", j.Job)
}

func main() {
	conn, err := connect(os.Args[1])
	if err != nil {
		tell(map[string]string{"is": "failed", "reason": err.Error()})
		os.Exit(1)
	}
	r := &runner{servers: os.Args[1], conn: conn}
	ready()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var j job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			panic(err)
		}
		if j.Job == "close" {
			break
		}
		if s, err := r.run(j); err != nil {
			tell(map[string]string{"is": "failed", "reason": err.Error()})
		} else {
			tell(map[string]interface{}{"is": "sample", "sample": s})
		}
	}
	r.conn.Close()
}
