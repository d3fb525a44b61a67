// Decodes the FIT files of a folder with github.com/muktihari/fit, once and then again and again, and prints what that took.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/muktihari/fit/decoder"
)

// used gives the seconds of the processor that this process took so far, and its highest memory in KiB.
func used() (float64, int64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	spent := usage.Utime.Nano() + usage.Stime.Nano()
	return float64(spent) / 1e9, usage.Maxrss
}

// pass gives the seconds of one decoding of all files, each with all its chained ones and its checksum verified.
func pass(files [][]byte) float64 {
	begun, _ := used()
	for _, data := range files {
		fit := decoder.New(bytes.NewReader(data))
		for fit.Next() {
			// A file that it gives up on costs what it took until then.
			if _, err := fit.Decode(); err != nil {
				break
			}
		}
	}
	ended, _ := used()
	return ended - begun
}

func main() {
	paths, err := filepath.Glob(filepath.Join(os.Args[1], "*.fit"))
	if err != nil {
		panic(err)
	}
	var files [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		files = append(files, data)
	}
	_, before := used()
	pass(files)
	first, peak := used()
	var passes []float64
	for sum := 0.0; sum < 0.5; {
		passes = append(passes, pass(files))
		sum += passes[len(passes)-1]
	}
	found := map[string]float64{"seconds": slices.Min(passes), "process_s": first, "peak_kib": float64(peak - before)}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
