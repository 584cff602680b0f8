// Package push has the stand-ins for Google and Apple judged by clients that know nothing of verifyd:
// Firebase's own library for Go, and the library for APNs that Parse keeps. If they are content with
// the stand-ins, and what they send is what ours sends, then the stand-ins are not merely our mirror.
//
// The tests need the build tag full and what `make tools` installs. Firebase's library is a module
// apart, because it brings a hundred others.
package push
