// Decodes the FIT files of a folder with github.com/muktihari/fit, once and then again and again, and prints what that took.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/muktihari/fit/decoder"
)

// used gives the seconds of the processor that this process took so far.
func used() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	spent := usage.Utime.Nano() + usage.Stime.Nano()
	return float64(spent) / 1e9
}

// peak gives the most memory that this process had so far, in MiB.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		panic(err)
	}
	return kib / 1024
}

// pass gives the seconds of one decoding of all files, each with all its chained ones and its checksum verified.
func pass(files [][]byte) float64 {
	begun := used()
	for _, data := range files {
		fit := decoder.New(bytes.NewReader(data))
		for fit.Next() {
			// A file that it gives up on costs what it took until then.
			if _, err := fit.Decode(); err != nil {
				break
			}
		}
	}
	return used() - begun
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
	before := peak()
	pass(files)
	first, highest := used(), peak()
	var passes []float64
	for sum := 0.0; sum < 0.5; {
		passes = append(passes, pass(files))
		sum += passes[len(passes)-1]
	}
	found := map[string]float64{"seconds": slices.Min(passes), "process_s": first, "peak_mib": highest - before}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
