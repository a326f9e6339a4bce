package parallel_test

import (
	"runtime"
	"testing"

	"concordat/chaincode/parallel"
)

func TestEachVisitsEveryIndexOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(processors)
		for _, count := range []int{0, 1, 2, 1000} {
			visits := make([]int, count)
			parallel.Each(count, func(i int) { visits[i]++ })
			for i, times := range visits {
				if times != 1 {
					t.Errorf("%d processors, %d items: %d visited %d times", processors, count, i, times)
				}
			}
		}
	}
}

func TestAPanicReachesTheCaller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2} {
		runtime.GOMAXPROCS(processors)
		func() {
			defer func() {
				if reason := recover(); reason != "mistake" {
					t.Errorf("%d processors: recovered %v", processors, reason)
				}
			}()
			parallel.Each(10, func(i int) {
				if i == 7 {
					panic("mistake")
				}
			})
		}()
	}
}
