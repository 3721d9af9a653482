# ResNet-50 with the first ImageNet weights of torchvision, where the field's code starts.
backbone = dict(type="TimmCNN", model="resnet50.tv_in1k", pretrained=True)
