// Package parallel spreads independent work over the processors. What is
// computed must not depend on the order, so that results stay the same on
// every endorser.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls work(0) .. work(count-1), each once, several at a time, and
// returns when all are done. A panic in work is raised again in the caller.
func Each(count int, work func(index int)) {
	workers := min(runtime.GOMAXPROCS(0), count)
	if workers <= 1 {
		for i := range count {
			work(i)
		}
		return
	}
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		once   sync.Once
		reason any
	)
	for range workers {
		group.Go(func() {
			defer func() {
				if caught := recover(); caught != nil {
					once.Do(func() { reason = caught })
				}
			}()
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	group.Wait()
	if reason != nil {
		panic(reason)
	}
}
