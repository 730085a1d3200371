// What is signed: artifacts of one file, one of them a chart.

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
)

type artifact struct {
	Manifest string `json:"manifest"`
	Layer    string `json:"layer"`
}

func newArtifact() artifact {
	return pack("application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip", "map.yaml",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: signed\n  namespace: default\ndata:\n  value: \"1\"\n")
}

func newChart() artifact {
	return pack("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "web/Chart.yaml",
		"apiVersion: v2\nname: web\nversion: 1.0.0\n")
}

func pack(config, kind, name, text string) artifact {
	var content bytes.Buffer
	packed := gzip.NewWriter(&content)
	files := tar.NewWriter(packed)
	if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
		panic(err)
	}
	must(files.Write([]byte(text)))
	if err := files.Close(); err != nil {
		panic(err)
	}
	if err := packed.Close(); err != nil {
		panic(err)
	}
	layer := content.Bytes()
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"%s","digest":"sha256:%s","size":2},"layers":[{"mediaType":"%s","digest":"sha256:%s","size":%d}]}`,
		config, hexOf([]byte("{}")), kind, hexOf(layer), len(layer))
	return artifact{manifest, b64(layer)}
}
