package main

import (
	"context"
	"math"
	"net/http"
	"time"
)

const coldStarts = 10

// cold is how verifyd starts, in ms from the start of the process, and what it holds before anybody
// has asked it much, in MB. They are medians.
type cold struct {
	live  float64 // to the answer of GET /livez
	ready float64 // to that of GET /v2/Services after it, which needs the account
	bare  float64 // ready of the bare server
	idle  float64
}

func notStarted() cold {
	return cold{live: math.NaN(), ready: math.NaN(), bare: math.NaN(), idle: math.NaN()}
}

// coldStart starts both servers in turns, verifyd on the folder that the rounds left. The files
// are in memory: the first start does not count.
func (b *bench) coldStart(ctx context.Context) (found cold, err error) {
	b.say("cold starts")
	var lives, readies, bares, idles []float64
	for i := range coldStarts + 1 {
		_, bare, _, err := timeStart(ctx, func() (*child, error) { return b.startBare(ctx, 0) })
		if err != nil {
			return cold{}, err
		}
		live, ready, idle, err := timeStart(ctx, func() (*child, error) { return b.startVerifyd(ctx, b.folder("sqlite")) })
		if err != nil {
			return cold{}, err
		}
		if i > 0 {
			lives, readies = append(lives, live), append(readies, ready)
			bares, idles = append(bares, bare), append(idles, idle)
		}
	}
	return cold{live: median(lives), ready: median(readies), bare: median(bares), idle: median(idles)}, nil
}

// timeStart starts a server, asks it for two answers, and stops it when it has come to rest.
func timeStart(ctx context.Context, start func() (*child, error)) (live, ready, idle float64, err error) {
	begin := time.Now()
	c, err := start()
	if err != nil {
		return 0, 0, 0, err
	}
	defer c.stop()
	// The listener takes connections before it prints its address, so nothing has to be tried
	// again.
	if _, err = c.do(ctx, http.MethodGet, "/livez", nil, http.StatusOK); err != nil {
		return 0, 0, 0, err
	}
	live = time.Since(begin).Seconds() * 1000
	if _, err = c.do(ctx, http.MethodGet, "/v2/Services", nil, http.StatusOK); err != nil {
		return 0, 0, 0, err
	}
	ready = time.Since(begin).Seconds() * 1000
	if _, err = c.settle(ctx); err != nil {
		return 0, 0, 0, err
	}
	idle, err = c.rss()
	return live, ready, idle, err
}
