module gosocket

go 1.16
