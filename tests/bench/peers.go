package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// expressFolder is the peer's program, from the root of the repository.
const expressFolder = "tests/bench/peers/express-redis"

// redis is a Redis server of the bench's own.
type redis struct {
	cmd     *exec.Cmd
	address string
}

// startRedis starts a Redis that answers a write when it is on the disk, as verifyd does.
func startRedis(ctx context.Context, dir string) (*redis, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("there is no redis-server: apt-get install redis-server")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &redis{address: l.Addr().String()}
	_, port, err := net.SplitHostPort(r.address)
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	r.cmd = exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--logfile", filepath.Join(dir, "log"),
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", r.address)
		if err == nil {
			return r, conn.Close()
		}
		select {
		case <-ctx.Done():
			r.stop()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			r.stop()
			return nil, fmt.Errorf("redis-server does not answer: %w\n%s", err, text)
		}
	}
}

// stop ends the process and waits for it. How it ended says nothing: we ended it.
func (r *redis) stop() {
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.cmd.Wait()
}

// startExpress starts the peer: Express over Redis. See peers/README.md.
func (b *bench) startExpress(ctx context.Context, _ int) (*child, error) {
	if _, err := os.Stat(filepath.Join(expressFolder, "node_modules")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("its libraries are not installed, or this is not the root of the repository: npm ci --prefix %s", expressFolder)
	}
	database, err := startRedis(ctx, b.folder("redis"))
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, &child{name: "express", log: b.folder("express.log"), database: database.cmd.Process.Pid, below: []stopper{database}},
		[]string{"REDIS_URL=redis://" + database.address, "NODE_ENV=production"}, "node", filepath.Join(expressFolder, "server.mjs"))
	if err != nil {
		database.stop()
	}
	return c, err
}
