package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processorTime is what a server and its database have used since they were started.
type processorTime struct{ server, database time.Duration }

func (c *child) cpu() (t processorTime, err error) {
	if t.server, err = used(c.cmd.Process.Pid); err != nil || c.database == 0 {
		return t, err
	}
	t.database, err = usedByTree(c.database)
	return t, err
}

func used(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	s, err := parseStat(string(text))
	return s.used, err
}

// usedByTree is the time of a process, of its children, and of those of its children that ended.
func usedByTree(pid int) (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		s, err := parseStat(string(text))
		if err != nil {
			return 0, err
		}
		switch pid {
		case s.pid:
			sum += s.used + s.ended
		case s.parent:
			sum += s.used
		}
	}
	return sum, nil
}

// stat is a line of /proc/PID/stat.
type stat struct {
	pid, parent int
	used        time.Duration // by the process
	ended       time.Duration // by children that it has waited for
}

// tick is the unit of processor times: the kernel counts them in hundredths of a second for every
// program, whatever its own clock is (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// parseStat reads the fields of proc_pid_stat(5).
func parseStat(line string) (s stat, err error) {
	// The name in parentheses may hold spaces and parentheses.
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return s, fmt.Errorf("/proc stat has no name: %q", line)
	}
	fields := strings.Fields(line[end+1:])
	if len(fields) < 15 {
		return s, fmt.Errorf("/proc stat is too short: %q", line)
	}
	var errs []error
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		errs = append(errs, err)
		return n
	}
	s.pid, s.parent = number(strings.TrimSpace(line[:open])), number(fields[1])
	s.used = tick * time.Duration(number(fields[11])+number(fields[12]))
	s.ended = tick * time.Duration(number(fields[13])+number(fields[14]))
	return s, errors.Join(errs...)
}

// rss is the memory the server holds, in MB (of 2^20 bytes).
func (c *child) rss() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(string(text))
}

func parseRSS(status string) (float64, error) {
	_, rest, _ := strings.Cut(status, "VmRSS:")
	value, _, ok := strings.Cut(rest, "kB")
	if !ok {
		return 0, errors.New("/proc status has no VmRSS")
	}
	kB, err := strconv.Atoi(strings.TrimSpace(value))
	return float64(kB) / 1024, err
}
